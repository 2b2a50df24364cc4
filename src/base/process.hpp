// Runs another program to its end, within limits, never through a shell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace base {

struct Program {
  std::vector<std::string> argv;         // argv[0] is looked up in this process's PATH
  std::vector<std::string> environment;  // "NAME=value", all that it gets
  std::string input;                     // on its standard input
  int64_t timeout_ms = 60'000;
  size_t most_output_bytes = 1 << 20;  // of standard output, and of standard error
};

struct Outcome {
  int exit_code = 0;  // 128 + the signal's number when one ended it
  std::string output;
  std::string errors;      // its standard error
  bool timed_out = false;  // it was ended
  bool cut = false;        // there was more output than kept
};

// Returns when the program has ended, or its time is over; then, and also when it leaves children
// behind, everything in its process group is killed; what has left the group is not waited for.
// `stop` is asked ten times a second and more: true ends it at once, as the time-out does. SIGPIPE
// must be ignored, as a program need not read its input. Throws 66 when there is no such program,
// 74 when it can't be started, 70 when pipes are missing.
Outcome run_program(const Program& program, const std::function<bool()>& stop);

}  // namespace base
