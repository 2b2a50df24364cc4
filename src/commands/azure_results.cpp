#include "commands/azure_results.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/azure_options.hpp"
#include "commands/report.hpp"
#include "github/actions.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

using azure::Outcome;

constexpr size_t kMostOutputBytes = 200'000;  // of each stream, for later steps
constexpr size_t kMostRows = 500;             // of the job summary
constexpr int64_t kMostEndMs = 10'000;        // for a reader that stalls
constexpr int64_t kMostEndMsAfterStop = 2'000;
constexpr int kCodes = 256;  // what a process can end with

const char* word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::succeeded:
      return "succeeded";
    case Outcome::failed:
      return "failed";
    case Outcome::detached:
      return "detached";
    case Outcome::unfinished:
      return "unfinished";
    case Outcome::error:
      return "error";
    case Outcome::pending:
      break;
  }
  return "not run";
}

std::string shown_code(const azure::Result& result) {
  return result.exit_code ? std::to_string(*result.exit_code) : "-";
}

std::string why(const Ran& ran) {
  return ran.result.error ? base::one_line(ran.result.error->what()) : "";
}

// "" when all of it came.
std::string cut_text(const azure::Captured& stream, const char* name, bool was_fetched) {
  if (!stream.is_cut) return "";
  if (!stream.total_bytes) {
    return fmt::format("{} may be cut: Azure keeps its last 4,096 bytes only", name);
  }
  return fmt::format("{} is cut: {} of {} bytes came{}", name, stream.bytes.size(),
                     *stream.total_bytes, was_fetched ? "" : "; --full-output brings all");
}

// "exit code 3 after 24 s".
std::string how_it_went(const azure::Result& result) {
  const std::string time = fmt::format("after {} s", result.seconds);
  if (result.outcome == Outcome::detached) return "started";
  if (result.exit_code) return fmt::format("exit code {} {}", *result.exit_code, time);
  return fmt::format("Azure says it {} {}; its exit code is not known", word_of(result.outcome),
                     time);
}

std::string last_part(const std::string& text, size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  size_t from = text.size() - most_bytes;
  // Not from the middle of a character.
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) ++from;
  return text.substr(from);
}

std::string markdown_cell(const std::string& text) {
  return base::replace_all(base::replace_all(base::one_line(text), "<", "&lt;"), "|", "\\|");
}

}  // namespace

Shape read_shape(const Options& options) {
  const std::string word = base::trim(options.text("output"));
  const bool json_is_nearer = options.source("json") >= options.source("output");
  if (options.toggle("json") && json_is_nearer) return Shape::json;
  if (word == "text") return Shape::text;
  if (word == "json") return Shape::json;
  if (word == "jsonl") return Shape::jsonl;
  throw options.wrong_value("output", "text, json or jsonl");
}

bool is_well(const Ran& ran) {
  const bool is_good =
      ran.result.outcome == Outcome::succeeded || ran.result.outcome == Outcome::detached;
  return is_good && !ran.result.rest_error;
}

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

json::Value result_json(const Ran& ran, bool with_output) {
  const azure::Result& result = ran.result;
  json::Object object{
      {"name", ran.name},
      {"id", ran.id},
      {"outcome", word_of(result.outcome)},
      {"exit_code", result.exit_code ? json::Value(*result.exit_code) : json::Value()},
      {"seconds", result.seconds}};
  const auto add_stream = [&](const char* name, const azure::Captured& stream) {
    if (with_output) object.push_back({name, stream.bytes});
    if (stream.total_bytes) object.push_back({fmt::format("{}_bytes", name), *stream.total_bytes});
    object.push_back({fmt::format("{}_cut", name), stream.is_cut});
  };
  add_stream("stdout", result.output);
  add_stream("stderr", result.errors);
  if (result.error) object.push_back({"error", why(ran)});
  if (with_output && !ran.attach_token.empty()) {
    object.push_back({"attach_token", ran.attach_token});
  }
  return object;
}

std::string results_table(const std::vector<Ran>& all) {
  size_t width = 7;
  for (const Ran& ran : all) width = std::max(width, ran.name.size());
  std::string text = fmt::format("{:<{}}  {:<10}  {:>9}  {:>7}\n", "machine", width, "result",
                                 "exit code", "seconds");
  std::map<std::string, size_t> counts;
  for (const Ran& ran : all) {
    const std::string word = word_of(ran.result.outcome);
    ++counts[word];
    const std::string line =
        fmt::format("{:<{}}  {:<10}  {:>9}  {:>7}  {}", ran.name, width, word,
                    shown_code(ran.result), ran.result.seconds, base::shorten(why(ran), 100));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  std::string sums;
  for (const auto& [word, count] : counts) {
    sums += fmt::format("{}{} {}", sums.empty() ? "" : ", ", count, word);
  }
  return text + fmt::format("{} machines: {}\n", all.size(), sums);
}

std::string results_markdown(const std::vector<Ran>& all) {
  std::string text = "| machine | result | exit code | seconds | |\n|---|---|---|---|---|\n";
  size_t rows = 0;
  // What went wrong first: there may be more machines than rows.
  for (const bool well : {false, true}) {
    for (const Ran& ran : all) {
      if (is_well(ran) != well || rows == kMostRows) continue;
      ++rows;
      text += fmt::format("| {} | {} | {} | {} | {} |\n", markdown_cell(ran.name),
                          word_of(ran.result.outcome), shown_code(ran.result), ran.result.seconds,
                          markdown_cell(why(ran)));
    }
  }
  if (rows < all.size()) text += fmt::format("\nand {} more\n", all.size() - rows);
  return text;
}

void write_azure_outputs(const base::Env& env, const std::vector<Ran>& all) {
  json::Object results;
  std::vector<std::string> failed;
  for (const Ran& ran : all) {
    results.push_back({ran.name, result_json(ran, false)});
    if (!is_well(ran)) failed.push_back(ran.name);
  }
  write_output(env, "ok", failed.empty() && !all.empty() ? "true" : "false");
  write_output(env, "failed", base::join(failed, "\n"));
  write_output(env, "results", json::write(results));
  const azure::Result none;
  const azure::Result& one = all.size() == 1 ? all.front().result : none;
  write_output(env, "exit_code", one.exit_code ? std::to_string(*one.exit_code) : "");
  write_output(env, "stdout", last_part(one.output.bytes, kMostOutputBytes));
  write_output(env, "stderr", last_part(one.errors.bytes, kMostOutputBytes));
}

int azure_exit_code(const std::vector<Ran>& all, bool remote) {
  for (const Ran& ran : all) {
    if (ran.result.error) return ran.result.error->code();
  }
  for (const Ran& ran : all) {
    if (is_well(ran)) continue;
    if (ran.result.outcome == Outcome::succeeded) return ran.result.rest_error->code();
    // A code that a process can't end with must not become 0.
    const int64_t code = ran.result.exit_code.value_or(1) % kCodes;
    return remote && code > 0 ? static_cast<int>(code) : base::exit_answer_no;
  }
  return base::exit_ok;
}

}  // namespace commands
