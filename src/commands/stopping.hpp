// What is being waited for is given up when a stop is asked for (base/signals.hpp), so that the
// command can say what it leaves behind.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace commands {

class Stopping {
 public:
  // From here on things are waited for again, so long: what is done belongs to the end.
  void end_things(int64_t most_ms);

  void check() const;  // throws 130

  // Whether a request that can't be given up is on its way.
  bool has_start() const { return starts_ > 0; }

 private:
  friend net::Http stoppable(const net::Http& http, Stopping& stopping);

  std::atomic<int64_t> end_ms_ = 0;  // no time: at once
  std::atomic<int> starts_ = 0;
};

// The same, but throws 130 within about a second of a stop. A request that is not repeatable is
// waited for all the same: else nobody would know whether it was obeyed. `stopping` must live as
// long.
net::Http stoppable(const net::Http& http, Stopping& stopping);
base::Clock stoppable(base::Clock clock, const Stopping& stopping);

}  // namespace commands
