// A copy of what comes in on standard output. A runner gets it in whole lines, in which it can't
// read a command.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/env.hpp"

namespace commands {

class Tee {
 public:
  explicit Tee(base::Env env);

  // Writes it, waiting for a reader that stalls; but once a stop is asked for (base/signals.hpp)
  // only what goes without waiting, so that finishing comes first. Throws 74.
  void take(std::string_view text);

  // Writes what is left, also of a line that has no end. Throws 74, also when nobody has read it
  // after wait_ms.
  void end(const base::Clock& clock, int64_t wait_ms);

 private:
  base::Env env_;
  std::string line_;  // not whole yet
  std::string left_;  // to be written
};

}  // namespace commands
