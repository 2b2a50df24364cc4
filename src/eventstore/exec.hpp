// Runs a program for each event, with the event as one line of JSON on its standard input. Exit
// code 0 is done; what it wrote to standard output is printed then.
//
// Throws 65 for other exit codes, with the last line of its standard error, 75 when it took too
// long, 130 when a stop was asked for, 66 and 74 when it can't be started. It is killed then, with
// all that it has started.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eventstore/processor.hpp"
#include "eventstore/surroundings.hpp"

namespace eventstore {

class Exec : public Processor {
 public:
  Exec(std::vector<std::string> argv, int64_t timeout_ms, Surroundings surroundings)
      : argv_(std::move(argv)), timeout_ms_(timeout_ms), surroundings_(std::move(surroundings)) {}

  void process(const Event& event) override;

 private:
  std::vector<std::string> argv_;
  int64_t timeout_ms_;
  Surroundings surroundings_;
};

}  // namespace eventstore
