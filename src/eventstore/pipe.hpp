// Gives events to a program that runs all the time: an event is a line of JSON on its standard
// input, the answer a line on its standard output, in the same order: "ok", or "error TEXT". Lines
// are written ahead of the answers, up to 1 MiB. The program must read by the line (mawk does with
// -W interactive) and flush after each answer.
//
// A program that ends, gives no answer in time or says something else is ended, with all that it
// has started, and is started anew for the next event; it may then see events again that it has
// done without saying so. When a stop is asked for, it gets 2 s for the answers that it owes. At
// the end its standard input is closed, and it gets 2 s to end by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/child.hpp"
#include "eventstore/processor.hpp"
#include "eventstore/surroundings.hpp"

namespace eventstore {

class Pipe : public Processor {
 public:
  Pipe(std::vector<std::string> argv, int64_t timeout_ms, Surroundings surroundings)
      : argv_(std::move(argv)), timeout_ms_(timeout_ms), surroundings_(std::move(surroundings)) {}

  // Throws 65 with what would be the problem, and as process_all().
  void process(const Event& event) override;
  // The problem is the program's words, or how it failed. Throws 66 and 74 when it can't be
  // started.
  size_t process_all(std::span<const Event> events, std::string& problem) override;

 private:
  struct Batch;
  void start();
  void write_ahead(Batch& batch);
  void take_answers(Batch& batch);
  // What ends the batch before its end; "" when nothing does.
  std::string fault_of(Batch& batch, bool has_output);
  std::string end_program();

  std::vector<std::string> argv_;
  int64_t timeout_ms_;
  Surroundings surroundings_;
  std::unique_ptr<base::Child> child_;
  uint64_t answers_ = 0;  // since it was started
};

}  // namespace eventstore
