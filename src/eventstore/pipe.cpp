#include "eventstore/pipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace eventstore {

namespace {

constexpr size_t kMostAhead = 1 << 20;
constexpr size_t kMostAnswer = 65536;
constexpr size_t kMostShown = 200;
constexpr int64_t kLookEveryMs = 50;
constexpr int64_t kGraceMs = 2'000;

std::string shown(std::string_view text) {
  return base::shorten(base::trim(base::one_line(text)), kMostShown);
}

}  // namespace

// Events on their way to the program and back.
struct Pipe::Batch {
  std::span<const Event> events;
  std::string lines;
  size_t given = 0;  // bytes of the lines
  size_t begun = 0;  // events that are in the lines
  size_t answered = 0;
  std::string output;  // what is no whole answer yet
  size_t done = 0;     // before the first problem
  std::string problem;
  int64_t latest_ms = 0;  // for the next answer
  std::optional<int64_t> stop_ms;
};

void Pipe::start() {
  // One that has ended while it owed nothing is simply started again.
  std::string output;
  size_t given = 0;
  if (child_ && !child_->exchange("", given, output, 0)) child_.reset();
  if (!output.empty()) {
    end_program();
    throw base::Error(base::exit_malformed_reply, fmt::format("{} said, without being asked: {}",
                                                              argv_.front(), shown(output)));
  }
  if (child_) return;
  child_ = std::make_unique<base::Child>(argv_, surroundings_.environment);
  answers_ = 0;
}

// After a problem nothing is begun any more; the answers that it owes still come.
void Pipe::write_ahead(Batch& batch) {
  if (batch.given == batch.lines.size()) {
    batch.lines.clear();
    batch.given = 0;
  }
  while (batch.problem.empty() && !batch.stop_ms && batch.begun < batch.events.size() &&
         batch.lines.size() < kMostAhead) {
    surroundings_.event_line(batch.events[batch.begun], batch.lines);
    batch.lines += '\n';
    ++batch.begun;
  }
}

void Pipe::take_answers(Batch& batch) {
  const std::string_view output = batch.output;
  size_t start = 0;
  for (size_t end = output.find('\n');
       end != std::string_view::npos && batch.answered < batch.begun;
       end = output.find('\n', start)) {
    const std::string_view answer = output.substr(start, end - start);
    const bool is_error = answer.starts_with("error");
    if (!is_error && !answer.starts_with("ok")) break;  // no answer: fault_of() tells
    if (is_error && batch.problem.empty()) {
      batch.problem = shown(answer.substr(5));
      if (batch.problem.empty()) batch.problem = "it said error";
    }
    if (batch.problem.empty()) ++batch.done;
    ++batch.answered;
    ++answers_;
    start = end + 1;
  }
  if (start > 0) batch.latest_ms = surroundings_.clock.monotonic_ms() + timeout_ms_;
  batch.output.erase(0, start);
}

std::string Pipe::fault_of(Batch& batch, bool has_output) {
  const bool is_wrong = batch.output.find('\n') != std::string::npos;
  const std::string& name = argv_.front();
  if (is_wrong && batch.answered < batch.begun) {
    return fmt::format("{} answered neither ok nor error, but: {}", name,
                       shown(batch.output.substr(0, batch.output.find('\n'))));
  }
  if (batch.answered == batch.begun && !batch.output.empty()) {
    return fmt::format("{} said, without being asked: {}", name, shown(batch.output));
  }
  if (batch.output.size() > kMostAnswer) {
    return fmt::format("{} answered with more than {} bytes in a line", name, kMostAnswer);
  }
  if (batch.answered == batch.begun) return "";
  if (!has_output) return end_program();
  const int64_t now_ms = surroundings_.clock.monotonic_ms();
  if (surroundings_.stop() && !batch.stop_ms) batch.stop_ms = now_ms + kGraceMs;
  if (batch.stop_ms && now_ms >= *batch.stop_ms) return "a stop was asked for";
  if (now_ms < batch.latest_ms) return "";
  return fmt::format("{} gave no answer within {}; does it flush its output after each line?", name,
                     base::duration(timeout_ms_));
}

// Gives it no more time. Tells how it ended.
std::string Pipe::end_program() {
  const int code = child_->end(kLookEveryMs);
  child_.reset();
  return fmt::format("{} ended with code {} after {} answers", argv_.front(), code, answers_);
}

size_t Pipe::process_all(std::span<const Event> events, std::string& problem) {
  try {
    start();
  } catch (const base::Error& error) {
    if (error.code() != base::exit_malformed_reply) throw;  // no event's fault
    problem = error.what();
    return 0;
  }
  Batch batch;
  batch.events = events;
  batch.latest_ms = surroundings_.clock.monotonic_ms() + timeout_ms_;
  for (;;) {
    write_ahead(batch);
    if (batch.answered == batch.begun) break;
    const bool has_output = child_->exchange(batch.lines, batch.given, batch.output, kLookEveryMs);
    take_answers(batch);
    const std::string fault = fault_of(batch, has_output);
    if (fault.empty()) continue;
    if (child_) end_program();
    if (batch.problem.empty()) batch.problem = fault;
    break;
  }
  if (batch.stop_ms && batch.problem.empty() && batch.done < events.size()) {
    batch.problem = "a stop was asked for";
  }
  problem = batch.problem;
  return batch.done;
}

void Pipe::process(const Event& event) {
  std::string problem;
  if (process_all({&event, 1}, problem) == 0) throw base::Error(base::exit_bad_input, problem);
}

}  // namespace eventstore
