// Processors that tests script, and a clock that several threads may use: sleeping costs nothing.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "eventstore/processor.hpp"

namespace eventstore_lane_stage {

using eventstore::Event;

struct Time {
  std::atomic<int64_t> now_ms = 1'000'000;
  base::Clock clock() {
    return {[this] { return now_ms.load(); }, [this] { return now_ms / 1000; },
            [this](int64_t ms) {
              now_ms += ms;
              std::this_thread::yield();
            }};
  }
};

// Words in the order in which threads said them.
class Log {
 public:
  void add(const std::string& word) {
    const std::lock_guard lock(mutex_);
    words_.push_back(word);
    changed_.notify_all();
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return fmt::format("{}", fmt::join(words_, " "));
  }
  std::vector<std::string> words() const {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  // Until so many have been said; false after 20 seconds.
  bool wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return words_.size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> words_;
};

// Closed until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

inline Event event_of(uint64_t revision, const std::string& type = "T") {
  Event event;
  event.stream = "orders";
  event.revision = revision;
  event.type = type;
  event.id = std::to_string(revision);
  return event;
}

// Does each event by a function; is given all that wait, as a pipe is.
class Worker : public eventstore::Processor {
 public:
  explicit Worker(std::function<void(const Event&)> work,
                  std::function<void(size_t events)> on_batch = {})
      : work_(std::move(work)), on_batch_(std::move(on_batch)) {}

  void process(const Event& event) override {
    work_(event);
    last_ = event.revision;
  }

  size_t process_all(std::span<const Event> events, std::string& problem) override {
    if (on_batch_) on_batch_(events.size());
    for (size_t done = 0; done < events.size(); ++done) {
      if (Processor::process_all(events.subspan(done, 1), problem) == 0) return done;
    }
    return events.size();
  }

  std::string state() const override { return last_ == 0 ? "" : "after " + std::to_string(last_); }
  void restore(const std::string& state) override { last_ = std::stoull(state.substr(6)); }

 private:
  std::function<void(const Event&)> work_;
  std::function<void(size_t events)> on_batch_;
  uint64_t last_ = 0;
};

}  // namespace eventstore_lane_stage
