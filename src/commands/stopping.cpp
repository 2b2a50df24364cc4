#include "commands/stopping.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/signals.hpp"

namespace commands {

namespace {

constexpr int64_t kNapMs = 200;

}  // namespace

void Stopping::check() const {
  if (base::stop_asked() && !is_ending_) {
    throw base::Error(base::exit_interrupted, "interrupted");
  }
}

net::Http stoppable(const net::Http& http, const Stopping& stopping) {
  return [http, &stopping](const net::HttpRequest& request) {
    if (!request.repeatable) return http(request);
    net::HttpRequest watched = request;
    watched.on_progress = [&stopping](int64_t /*sent_bytes*/) { stopping.check(); };
    return http(watched);
  };
}

base::Clock stoppable(base::Clock clock, const Stopping& stopping) {
  clock.sleep_ms = [sleep = clock.sleep_ms, &stopping](int64_t ms) {
    for (int64_t slept = 0; slept < ms; slept += kNapMs) {
      stopping.check();
      sleep(std::min(kNapMs, ms - slept));
    }
  };
  return clock;
}

}  // namespace commands
