#include "commands/stopping.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/signals.hpp"

namespace commands {

namespace {

constexpr int64_t kNapMs = 200;

struct Counted {
  std::atomic<int>& count;
  explicit Counted(std::atomic<int>& counter) : count(counter) { ++count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count; }
};

}  // namespace

void Stopping::end_things(int64_t most_ms) {
  end_ms_ = base::real_clock().monotonic_ms() + most_ms;
}

void Stopping::check() const {
  if (base::stop_asked() && base::real_clock().monotonic_ms() >= end_ms_) {
    throw base::Error(base::exit_interrupted, "interrupted");
  }
}

net::Http stoppable(const net::Http& http, Stopping& stopping) {
  return [http, &stopping](const net::HttpRequest& request) {
    if (!request.repeatable) {
      const Counted counted(stopping.starts_);
      return http(request);
    }
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
