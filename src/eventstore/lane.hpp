// One instance of a processor with a thread and a short queue: does events in their order, tries
// again, and says how each ended. Part of eventstore/runner.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "eventstore/processor.hpp"

namespace eventstore {

// What the lanes of a runner have in common. The functions are called from any lane's thread.
struct LaneShared {
  int attempts = 10;
  int64_t first_wait_ms = 100;
  size_t most_at_once = 256;
  base::Clock clock;
  std::function<bool()> stop;  // nothing new is begun; also after a failure
  std::function<void(std::span<const uint64_t> tickets, std::span<const Event> events,
                     const std::string& state)>
      done;
  // All attempts are spent. Throws what ends the processor for good.
  std::function<void(uint64_t ticket, const Event& event, const std::string& problem,
                     const std::string& state)>
      bad;
  std::function<void(const Event& event, const std::string& problem)> on_first_failure;
  std::function<void(const base::Error& error)> fail;
};

class Lane {
 public:
  Lane(const LaneShared& shared, std::unique_ptr<Processor> processor);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  // Takes the event, waiting up to wait_ms while the queue is full; false when it still is.
  bool offer(Event& event, uint64_t ticket, int64_t wait_ms);

  // Takes no more; its thread ends when the queue is empty, or at a stop.
  void close();

  bool has_ended() const;

  // After its end: what it did not finish.
  std::vector<Event> left();

 private:
  struct Task {
    uint64_t ticket = 0;
    Event event;
  };
  void run();
  bool take(std::vector<Event>& events, std::vector<uint64_t>& tickets);
  void work(const std::vector<Event>& events, const std::vector<uint64_t>& tickets);
  bool wait_to_retry(int failures) const;

  const LaneShared& shared_;
  const std::unique_ptr<Processor> processor_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  size_t waiting_bytes_ = 0;
  std::vector<Event> left_;
  bool is_closed_ = false;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace eventstore
