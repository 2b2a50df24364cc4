#include "commands/azure_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

using azure::Outcome;

constexpr size_t kMostOutputBytes = 200'000;  // of each stream, for later steps
constexpr size_t kMostRows = 500;             // of the job summary
constexpr int kCodes = 256;                   // what a process can end with

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
  const std::string word = options.choice("output");
  const bool json_is_nearer = options.source("json") >= options.source("output");
  if (options.toggle("json") && json_is_nearer) return Shape::json;
  if (word == "json") return Shape::json;
  return word == "jsonl" ? Shape::jsonl : Shape::text;
}

std::string why(const Ran& ran) {
  return ran.result.error ? base::one_line(ran.result.error->what()) : "";
}

std::string how_it_went(const azure::Result& result) {
  const std::string time = fmt::format("after {} s", result.seconds);
  if (result.outcome == Outcome::detached) return "started";
  if (result.exit_code) return fmt::format("exit code {} {}", *result.exit_code, time);
  return fmt::format("Azure says it {} {}; its exit code is not known", word_of(result.outcome),
                     time);
}

bool is_well(const Ran& ran) {
  const bool is_good =
      ran.result.outcome == Outcome::succeeded || ran.result.outcome == Outcome::detached;
  return is_good && !ran.result.rest_error;
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
