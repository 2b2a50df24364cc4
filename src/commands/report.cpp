#include "commands/report.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "github/actions.hpp"

namespace commands {

namespace {

constexpr size_t kDelimiterBytes = 16;
constexpr size_t kShortestMask = 8;  // a shorter one would hide ordinary words of the log

std::string annotation(const base::Env& env, const char* level, const std::string& command,
                       std::string_view text) {
  if (!in_actions(env)) return "";
  const std::string title = base::trim(PRODUCT_NAME " " + command);
  return github::annotation(level, title, github::log_line(text));
}

}  // namespace

bool in_actions(const base::Env& env) {
  return env("GITHUB_ACTIONS") == "true";
}

std::string error_text(const base::Env& env, const std::string& command, const base::Error& error) {
  return progress_text(command, error.what()) + annotation(env, "error", command, error.what());
}

std::string notice_text(const base::Env& env, const std::string& command, std::string_view text) {
  return progress_text(command, text) + annotation(env, "notice", command, text);
}

std::string progress_text(const std::string& command, std::string_view text) {
  const std::string name = command.empty() ? PRODUCT_NAME : PRODUCT_NAME ": " + command;
  return fmt::format("{}: {}\n", name, github::log_line(text));
}

std::string secret_text(const base::Env& env, const std::string& secret) {
  if (!in_actions(env) || secret.empty()) return "";
  const std::string last = base::trim(secret.substr(secret.rfind('/') + 1));  // npos + 1 == 0
  const bool is_long = last.size() >= kShortestMask && last != secret;
  return github::mask(secret) + (is_long ? github::mask(last) : "");
}

void report_error(const base::Env& env, const std::string& command, const base::Error& error) {
  base::write_stderr(error_text(env, command, error));
}

void report_notice(const base::Env& env, const std::string& command, std::string_view text) {
  base::write_stderr(notice_text(env, command, text));
}

void report_progress(const std::string& command, std::string_view text) {
  base::write_stderr(progress_text(command, text));
}

void report_state(std::string_view text) {
  base::write_stderr(fmt::format("\r\033[K{}", github::log_line(text)));
}

void report_secret(const base::Env& env, const std::string& secret) {
  base::write_stderr(secret_text(env, secret));
}

void print_text(const base::Env& env, const std::string& text) {
  base::write_stdout(in_actions(env) ? github::unobeyed(text) : text);
}

void print_json(const base::Env& env, const std::string& json) {
  base::write_stdout(in_actions(env) ? github::unobeyed_json(json) : json);
}

void write_output(const base::Env& env, const std::string& name, const std::string& value) {
  const std::string path = env("GITHUB_OUTPUT");
  if (path.empty()) return;
  base::append_to_file(path, github::output(name, value, base::random_hex(kDelimiterBytes)));
}

void write_summary(const base::Env& env, const std::string& markdown) {
  const std::string path = env("GITHUB_STEP_SUMMARY");
  if (!path.empty()) base::append_to_file(path, markdown);
}

}  // namespace commands
