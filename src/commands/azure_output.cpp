#include "commands/azure_output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "commands/azure_options.hpp"
#include "commands/report.hpp"
#include "github/actions.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

constexpr int64_t kMostEndMs = 10'000;  // for a reader that stalls
constexpr int64_t kMostEndMsAfterStop = 2'000;

// "" when all of it came.
std::string cut_text(const azure::Captured& stream, const char* name, bool was_fetched) {
  if (!stream.is_cut) return "";
  if (!stream.total_bytes) {
    return fmt::format("{} may be cut: Azure keeps its last 4,096 bytes only", name);
  }
  return fmt::format("{} is cut: {} of {} bytes came{}", name, stream.bytes.size(),
                     *stream.total_bytes, was_fetched ? "" : "; --full-output brings all");
}

}  // namespace

AzureOutput::AzureOutput(const base::Env& env, Shape shape)
    : env_(env),
      shape_(shape),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      out_(env, STDOUT_FILENO),
      err_(env, STDERR_FILENO) {}

void AzureOutput::expect(const std::vector<azure::Machine>& machines,
                         const std::vector<std::string>& names) {
  is_one_ = machines.size() == 1;
  for (size_t i = 0; i < machines.size(); ++i) names_[azure::resource_id(machines[i])] = names[i];
}

// What is ours stands on lines of its own; a runner would not see a command elsewhere.
void AzureOutput::begin_line() {
  if (has_state_) report_state("");
  has_state_ = false;
  const bool is_shared = is_terminal_ && ::isatty(STDOUT_FILENO) == 1 && out_.is_in_line();
  if (err_.is_in_line() || is_shared) err_.tell("\n");
}

void AzureOutput::write(bool is_errors, const std::string& text) {
  if (text.empty() || (!is_errors && !failure_.empty())) return;
  if (has_state_) report_state("");
  has_state_ = false;
  try {
    (is_errors ? err_ : out_).take(text);
  } catch (const base::Error& error) {
    failure_ = error.what();
  }
}

// One machine's output stands as it is; of several each line says whose it is.
void AzureOutput::print(const std::string& name, bool is_errors, const std::string& text) {
  if (is_one_) return write(is_errors, text);
  std::string& open = lines_[name + (is_errors ? "\n2" : "\n1")];
  open += text;
  std::string whole;
  size_t from = 0;
  for (size_t end = open.find('\n'); end != std::string::npos; end = open.find('\n', from)) {
    whole += name;
    whole += ": ";
    whole.append(open, from, end + 1 - from);
    from = end + 1;
  }
  open.erase(0, from);
  write(is_errors, whole);
}

void AzureOutput::live(const azure::Machine& machine, bool is_errors, const std::string& text) {
  const std::lock_guard lock(mutex_);
  const std::string& name = names_.at(azure::resource_id(machine));
  live_.insert(name);
  if (shape_ == Shape::text) print(name, is_errors, text);
}

void AzureOutput::notice(const azure::Machine& machine, const std::string& text) {
  progress(fmt::format("{}: {}", names_.at(azure::resource_id(machine)), text));
}

void AzureOutput::progress(const std::string& text) {
  const std::lock_guard lock(mutex_);
  begin_line();
  err_.tell(progress_text(kAzureRun, text));
}

void AzureOutput::secret(const std::string& secret) {
  const std::lock_guard lock(mutex_);
  if (!in_actions(env_)) return;
  begin_line();
  err_.tell(secret_text(env_, secret));
}

void AzureOutput::result(const std::string& text) {
  const std::lock_guard lock(mutex_);
  write(false, text);
}

void AzureOutput::json(const json::Value& value) {
  const std::lock_guard lock(mutex_);
  write_json(value);
}

void AzureOutput::write_json(const json::Value& value) {
  const std::string line = json::write(value) + "\n";
  write(false, in_actions(env_) ? github::unobeyed_json(line) : line);
}

void AzureOutput::table(const std::string& text) {
  const std::lock_guard lock(mutex_);
  begin_line();
  write(true, text);
}

void AzureOutput::over(const Ran& ran) {
  const std::lock_guard lock(mutex_);
  const azure::Result& result = ran.result;
  if (shape_ == Shape::text && !live_.contains(ran.name)) {
    print(ran.name, false, result.output.bytes);
    print(ran.name, true, result.errors.bytes);
  }
  for (const bool is_errors : {false, true}) {  // a last line without its end
    if (!lines_[ran.name + (is_errors ? "\n2" : "\n1")].empty()) print(ran.name, is_errors, "\n");
  }
  if (shape_ == Shape::jsonl) write_json(result_json(ran, true));
  begin_line();
  for (const auto& [stream, name] : {std::pair(&result.output, "standard output"),
                                     std::pair(&result.errors, "standard error")}) {
    const std::string cut = cut_text(*stream, name, result.rest_error.has_value());
    if (!cut.empty()) err_.tell(notice_text(env_, kAzureRun, fmt::format("{}: {}", ran.name, cut)));
  }
  for (const std::string& text : result.notices) {
    err_.tell(notice_text(env_, kAzureRun, fmt::format("{}: {}", ran.name, text)));
  }
  const std::string line =
      fmt::format("{}: {}", ran.name, result.error ? why(ran) : how_it_went(result));
  if (is_well(ran)) {
    err_.tell(progress_text(kAzureRun, line));
  } else {
    err_.tell(error_text(env_, kAzureRun, base::Error(base::exit_answer_no, line)));
  }
}

void AzureOutput::state(const std::string& text) {
  if (!is_terminal_) return;
  const std::lock_guard lock(mutex_);
  const bool is_shared = ::isatty(STDOUT_FILENO) == 1 && out_.is_in_line();
  if (err_.is_in_line() || is_shared) return;
  report_state(text);
  has_state_ = !text.empty();
}

void AzureOutput::end() {
  const std::lock_guard lock(mutex_);
  const base::Clock clock = base::real_clock();
  const int64_t most_ms = base::stop_asked() ? kMostEndMsAfterStop : kMostEndMs;
  try {
    if (failure_.empty()) out_.end(clock, most_ms);
  } catch (const base::Error& error) {
    failure_ = error.what();
  }
  if (!failure_.empty() && base::stop_asked()) err_.tell(progress_text(kAzureRun, failure_));
  try {
    err_.end(clock, most_ms);
  } catch (const base::Error&) {  // nobody is left to be told
  }
  if (!failure_.empty() && !base::stop_asked()) {
    throw base::Error(base::exit_local_io, failure_);
  }
}

}  // namespace commands
