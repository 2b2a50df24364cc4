// Another program that runs beside this one, with pipes to its standard input and from its standard
// output; its standard error is this process's own. Never through a shell.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/spawn.hpp"

namespace base {

class Child {
 public:
  // Starts it as run_program() does (base/process.hpp), and throws the same. SIGPIPE must be
  // ignored, as the program need not read its input.
  Child(const std::vector<std::string>& argv, const std::vector<std::string>& environment);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // Ends it, with 2 s to do so by itself.
  ~Child();

  // Moves bytes both ways, so that neither side waits for the other: writes of `input` from
  // `given` on, which it moves, and appends to `output`, at most 64 KiB each. Waits up to wait_ms
  // when nothing moves. False when there is no more output: the program ended, or closed it. What
  // it does not want to read is dropped.
  bool exchange(std::string_view input, size_t& given, std::string& output, int64_t wait_ms);

  // Closes its input and waits up to grace_ms for it to end, SIGTERM for another half of that, and
  // kills what is left of its process group. Its exit code, 128 + the signal's number when one
  // ended it; the same when called again.
  int end(int64_t grace_ms);

 private:
  // Reads and drops output until it has ended; false when that took too long.
  bool ends_within(int64_t most_ms);

  Pipe input_;
  Pipe output_;
  pid_t pid_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace base
