// What a command tells the person and the runner beside its result: one form for a shell, one for
// GitHub Actions. Foreign text is printed so that the runner can't read a command in it.
#pragma once

#include <string>
#include <string_view>

#include "base/env.hpp"
#include "base/error.hpp"

namespace commands {

bool in_actions(const base::Env& env);

// "opsbelt: COMMAND: TEXT" on standard error; in Actions an annotation as well.
void report_error(const base::Env& env, const std::string& command, const base::Error& error);
void report_notice(const base::Env& env, const std::string& command, std::string_view text);

// What these and the next two write, for who writes it by another way.
std::string error_text(const base::Env& env, const std::string& command, const base::Error& error);
std::string notice_text(const base::Env& env, const std::string& command, std::string_view text);
std::string progress_text(const std::string& command, std::string_view text);
std::string secret_text(const base::Env& env, const std::string& secret);

// The same line for things of the moment ("waiting 3 s"), never an annotation.
void report_progress(const std::string& command, std::string_view text);

// Text that stays in the last line of a terminal until the next one replaces it; "" clears the
// line.
void report_state(std::string_view text);

// Tells the runner to show *** for it from now on; for a URL also its last part, if it is long,
// which some logs show alone. Nothing outside Actions.
void report_secret(const base::Env& env, const std::string& secret);

// The result, on standard output; in Actions harmless for the runner. Throws 74.
void print_text(const base::Env& env, const std::string& text);
void print_json(const base::Env& env, const std::string& json);

// To the files of GITHUB_OUTPUT and GITHUB_STEP_SUMMARY, when these are set. Throws 74.
void write_output(const base::Env& env, const std::string& name, const std::string& value);
void write_summary(const base::Env& env, const std::string& markdown);

}  // namespace commands
