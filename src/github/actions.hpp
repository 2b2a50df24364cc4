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

// The text between stop-commands and its token, so that the runner obeys nothing in it. The token
// must be unguessable.
std::string unobeyed(std::string_view text, std::string_view token);

// One line of foreign text, harmless wherever it stands in a log line behind other text: the old
// command form "##[" is broken up, which the runner would obey anywhere in a line.
std::string log_line(std::string_view text);

// NAME and value for GITHUB_OUTPUT, in the form with a delimiter, which must not occur in the
// value.
std::string output(std::string_view name, std::string_view value, std::string_view delimiter);

}  // namespace github
