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

std::string line(const std::string& command, std::string_view text) {
  const std::string name = command.empty() ? PRODUCT_NAME : PRODUCT_NAME ": " + command;
  return fmt::format("{}: {}\n", name, github::log_line(text));
}

void annotate(const base::Env& env, const char* level, const std::string& command,
              std::string_view text) {
  if (!in_actions(env)) return;
  const std::string title = base::trim(PRODUCT_NAME " " + command);
  base::write_stderr(github::annotation(level, title, github::log_line(text)));
}

}  // namespace

bool in_actions(const base::Env& env) {
  return env("GITHUB_ACTIONS") == "true";
}

void report_error(const base::Env& env, const std::string& command, const base::Error& error) {
  report_progress(command, error.what());
  annotate(env, "error", command, error.what());
}

void report_notice(const base::Env& env, const std::string& command, std::string_view text) {
  report_progress(command, text);
  annotate(env, "notice", command, text);
}

void report_progress(const std::string& command, std::string_view text) {
  base::write_stderr(line(command, text));
}

void report_state(std::string_view text) {
  base::write_stderr(fmt::format("\r\033[K{}", github::log_line(text)));
}

void report_secret(const base::Env& env, const std::string& secret) {
  if (!in_actions(env) || secret.empty()) return;
  base::write_stderr(github::mask(secret));
  const std::string last = base::trim(secret.substr(secret.rfind('/') + 1));  // npos + 1 == 0
  if (last.size() >= kShortestMask && last != secret) base::write_stderr(github::mask(last));
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
