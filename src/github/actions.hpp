// GitHub Actions' runtime as text: what a step writes to talk to the runner. Pure; the caller
// prints it or appends it to the file that GITHUB_OUTPUT or GITHUB_STEP_SUMMARY names.
// Source: docs.github.com "Workflow commands for GitHub Actions", actions/runner.
#pragma once

#include <string>
#include <string_view>

namespace github {

// "::error title=T::MESSAGE\n" with what the runner wants escaped. Level: error, warning or notice.
std::string annotation(std::string_view level, std::string_view title, std::string_view message);

// "::add-mask::SECRET\n": from there on the runner shows *** instead. A line of its own for each
// line of the secret.
std::string mask(std::string_view secret);

// Text of several lines, changed where the runner would obey it: at the start of a line "::"
// becomes
// ": :", anywhere "##[" becomes "## [", and "\r", which ends a line for the runner too, a line
// break. Not stop-commands: that would end up in a file or pipe that the person reads the result
// from, and the order of two streams in the log is not certain.
std::string unobeyed(std::string_view text);

// The same for JSON, whose meaning stays as it is: it holds such text only inside of strings.
std::string unobeyed_json(std::string_view json);

// One line of foreign text, harmless wherever it stands in a log line behind other text: the old
// command form "##[" is broken up, which the runner would obey anywhere in a line.
std::string log_line(std::string_view text);

// NAME and value for GITHUB_OUTPUT, in the form with a delimiter, which must not occur in the
// value.
std::string output(std::string_view name, std::string_view value, std::string_view delimiter);

}  // namespace github
