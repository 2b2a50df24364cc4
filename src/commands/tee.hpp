// A copy of what comes in on standard output. A runner gets it in whole lines, in which it can't
// read a command.
#pragma once

#include <string>
#include <string_view>

#include "base/env.hpp"

namespace commands {

class Tee {
 public:
  explicit Tee(base::Env env);

  // Writes it, waiting for a reader that stalls; but only for a second once a stop is asked for
  // (base/signals.hpp), so that the time for finishing is not spent here. Throws 74.
  void take(std::string_view text);

  // Writes what was held back of a line that has no end.
  void end();

 private:
  base::Env env_;
  std::string held_;
};

}  // namespace commands
