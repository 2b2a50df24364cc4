// Standard output or standard error as a way out for text that comes bit by bit, whose reader may
// stall. A runner gets it in whole lines, in which it can't read a command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/env.hpp"
#include "base/signals.hpp"

namespace commands {

class Outlet {
 public:
  // `gives_up` is asked while it waits.
  Outlet(base::Env env, int descriptor, std::function<bool()> gives_up = base::stop_asked);

  // Writes it, waiting for a reader that stalls; but once it gives up, as a rule when a stop is
  // asked for, only what goes without waiting, so that finishing comes first. Throws 74 for
  // standard output.
  void take(std::string_view text);

  // The same for whole lines of our own, which a runner is to obey.
  void tell(std::string_view lines);

  // Writes what is left, also of a line that has no end. Throws 74, also when nobody has read it
  // after wait_ms.
  void end(const base::Clock& clock, int64_t wait_ms);

  // Whether something was not written, as a stop came first.
  bool is_behind() const { return !left_.empty(); }

  // Whether the last line written has no end yet.
  bool is_in_line() const { return is_in_line_; }

 private:
  void flush();
  void write_some();

  base::Env env_;
  int descriptor_;
  std::function<bool()> gives_up_;
  size_t sure_bytes_;  // once it takes anything
  std::string line_;   // not whole yet
  std::string left_;   // to be written, from written_ on
  size_t written_ = 0;
  bool is_in_line_ = false;
};

}  // namespace commands
