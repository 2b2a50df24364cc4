// What is being waited for is given up when a stop is asked for (base/signals.hpp), so that the
// command can say what it leaves behind.
#pragma once

#include <atomic>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace commands {

class Stopping {
 public:
  // From here on nothing is given up any more: what is waited for belongs to the end.
  void end_things() { is_ending_ = true; }

  void check() const;  // throws 130

 private:
  std::atomic<bool> is_ending_ = false;
};

// The same, but throws 130 within about a second of a stop. A request that is not repeatable is
// waited for all the same: else nobody would know whether it was obeyed. `stopping` must live as
// long.
net::Http stoppable(const net::Http& http, const Stopping& stopping);
base::Clock stoppable(base::Clock clock, const Stopping& stopping);

}  // namespace commands
