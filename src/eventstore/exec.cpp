#include "eventstore/exec.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace eventstore {

namespace {

constexpr size_t kMostShown = 200;

// ": its last line", shortened; "" when it said nothing.
std::string last_line(const std::string& errors) {
  const std::string text = base::trim(errors);
  const std::string line = base::one_line(text.substr(text.rfind('\n') + 1));
  return line.empty() ? "" : ": " + base::shorten(line, kMostShown);
}

}  // namespace

void Exec::process(const Event& event) {
  base::Program program;
  program.argv = argv_;
  program.environment = surroundings_.environment;
  program.timeout_ms = timeout_ms_;
  surroundings_.event_line(event, program.input);
  program.input += '\n';
  const base::Outcome outcome = base::run_program(program, surroundings_.stop);
  if (outcome.timed_out && surroundings_.stop()) {
    throw base::Error(base::exit_interrupted,
                      argv_.front() + " was ended, as a stop was asked for");
  }
  if (outcome.timed_out) {
    throw base::Error(base::exit_retries_spent,
                      fmt::format("{} was ended: it took longer than {}{}", argv_.front(),
                                  base::duration(timeout_ms_), last_line(outcome.errors)));
  }
  if (outcome.exit_code != 0) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} ended with code {}{}", argv_.front(), outcome.exit_code,
                                  last_line(outcome.errors)));
  }
  std::string output = outcome.output;
  while (output.ends_with('\n')) output.pop_back();
  if (!output.empty()) surroundings_.print(output);
}

}  // namespace eventstore
