// Input that is not read whole: files in parts, and standard input as it comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/env.hpp"

namespace base {

// A file of known size whose bytes can be had again and again.
struct Parts {
  int64_t bytes = 0;
  // Reads at `offset` at least one byte, at most `most`. Throws 74, also when the file has become
  // shorter since it was opened.
  std::function<size_t(int64_t offset, char* to, size_t most)> read;
};

// Opens a file, or standard input when path is "-", from where it stands. What tells no size (a
// pipe, a file of /proc) is first copied to a temporary file that has no name and goes away by
// itself (in TMPDIR, RUNNER_TEMP, /tmp or the working directory). Throws 66 when it is missing,
// unreadable or a directory, 74 when copying fails.
Parts open_parts(const std::string& path, const Env& env);

enum class Came { bytes, nothing, end, stop };

// Waits up to wait_ms (-1: without end) for standard input and appends what is there, at most
// `most` bytes. stop: a stop was asked for (base/signals.hpp), and nothing is there. Throws 74.
Came read_some(std::string& to, size_t most, int64_t wait_ms);

}  // namespace base
