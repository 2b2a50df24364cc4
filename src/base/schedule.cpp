#include "base/schedule.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

namespace base {

namespace {

using Time = std::chrono::steady_clock;
constexpr auto kTick = std::chrono::milliseconds(200);

struct Due {
  Time::time_point at;
  size_t thing;
  bool operator>(const Due& other) const {
    return std::pair(at, thing) > std::pair(other.at, other.thing);
  }
};

// What the threads share; everything under the mutex.
struct Shared {
  const Schedule& schedule;
  std::mutex mutex;
  std::condition_variable changed;    // for the workers
  std::condition_variable all_quiet;  // for the caller
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  size_t begun = 0;
  size_t over = 0;
  bool begins_more = true;
  bool stopped = false;

  bool is_done() const {
    const bool nothing_to_begin = !begins_more || begun == schedule.things;
    return stopped || (nothing_to_begin && over == begun);
  }
};

void begin_more(Shared& shared) {
  while (shared.begins_more && shared.begun < shared.schedule.things &&
         shared.begun - shared.over < std::max<size_t>(shared.schedule.most_at_once, 1)) {
    shared.due.push({Time::now(), shared.begun});
    ++shared.begun;
  }
}

void after_step(Shared& shared, size_t thing, const std::optional<int64_t>& wait_ms) {
  if (wait_ms) {
    shared.due.push({Time::now() + std::chrono::milliseconds(*wait_ms), thing});
  } else {
    ++shared.over;
    if (!shared.schedule.on_over(thing)) shared.begins_more = false;
    begin_more(shared);
  }
  shared.changed.notify_one();  // at most one thing became due by this
  if (!shared.is_done()) return;
  shared.changed.notify_all();
  shared.all_quiet.notify_all();
}

void work(Shared& shared, size_t thread) {
  std::unique_lock lock(shared.mutex);
  while (!shared.is_done()) {
    if (shared.due.empty()) {
      shared.changed.wait(lock);
      continue;
    }
    const Due next = shared.due.top();
    if (next.at > Time::now()) {
      shared.changed.wait_until(lock, next.at);
      continue;
    }
    shared.due.pop();
    lock.unlock();
    const std::optional<int64_t> wait_ms = shared.schedule.step(next.thing, thread);
    lock.lock();
    after_step(shared, next.thing, wait_ms);
  }
}

}  // namespace

void run_schedule(const Schedule& schedule) {
  Shared shared{schedule, {}, {}, {}, {}, 0, 0, true, false};
  begin_more(shared);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::max<size_t>(schedule.threads, 1); ++i) {
    threads.emplace_back([&shared, i] { work(shared, i); });
  }
  {
    std::unique_lock lock(shared.mutex);
    while (!shared.is_done()) {
      if (!schedule.on_tick(shared.begun - shared.over, shared.over)) shared.stopped = true;
      if (!shared.is_done()) shared.all_quiet.wait_for(lock, kTick);
    }
    shared.changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace base
