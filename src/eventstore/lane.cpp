#include "eventstore/lane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>

namespace eventstore {

namespace {

constexpr size_t kMostWaiting = 1'024;
constexpr size_t kMostWaitingBytes = size_t{4} << 20U;  // or one event, if it is larger
constexpr int64_t kMostRetryWaitMs = 30'000;
constexpr int kMostDoublings = 20;
constexpr int64_t kLookEveryMs = 100;

size_t bytes_of(const Event& event) {
  return sizeof(Event) + event.data.size() + event.metadata.size();
}

}  // namespace

Lane::Lane(const LaneShared& shared, std::unique_ptr<Processor> processor)
    : shared_(shared), processor_(std::move(processor)), thread_([this] { run(); }) {}

Lane::~Lane() {
  close();
  thread_.join();
}

bool Lane::offer(Event& event, uint64_t ticket, int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  const auto has_room = [&] {
    return waiting_.empty() ||
           (waiting_.size() < kMostWaiting && waiting_bytes_ < kMostWaitingBytes);
  };
  if (!changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), has_room)) return false;
  waiting_bytes_ += bytes_of(event);
  waiting_.push_back({ticket, std::move(event)});
  if (waiting_.size() == 1) changed_.notify_all();
  return true;
}

void Lane::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

bool Lane::has_ended() const {
  const std::lock_guard lock(mutex_);
  return has_ended_;
}

std::vector<Event> Lane::left() {
  const std::lock_guard lock(mutex_);
  for (Task& task : waiting_) left_.push_back(std::move(task.event));
  waiting_.clear();
  return std::move(left_);
}

void Lane::run() {
  std::vector<Event> events;
  std::vector<uint64_t> tickets;
  try {
    while (take(events, tickets)) work(events, tickets);
  } catch (const base::Error& error) {
    shared_.fail(error);
  } catch (const std::exception& error) {
    shared_.fail({base::exit_our_bug, error.what()});
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

// False at the end.
bool Lane::take(std::vector<Event>& events, std::vector<uint64_t>& tickets) {
  events.clear();
  tickets.clear();
  std::unique_lock lock(mutex_);
  while (waiting_.empty() && !is_closed_) changed_.wait(lock);
  if (waiting_.empty() || shared_.stop()) return false;
  while (!waiting_.empty() && events.size() < shared_.most_at_once) {
    waiting_bytes_ -= bytes_of(waiting_.front().event);
    tickets.push_back(waiting_.front().ticket);
    events.push_back(std::move(waiting_.front().event));
    waiting_.pop_front();
  }
  changed_.notify_all();
  return true;
}

// An event that failed is tried alone, so that those behind it are not done over and over.
void Lane::work(const std::vector<Event>& events, const std::vector<uint64_t>& tickets) {
  size_t at = 0;
  int failures = 0;
  try {
    while (at < events.size() && !shared_.stop()) {
      const size_t count = failures > 0 ? 1 : events.size() - at;
      std::string problem;
      const size_t done = processor_->process_all(std::span(events).subspan(at, count), problem);
      if (done > 0) {
        const size_t from = at;
        at += done;
        failures = 0;
        shared_.done(std::span(tickets).subspan(from, done), std::span(events).subspan(from, done),
                     processor_->state());
      }
      if (problem.empty()) continue;
      if (done == count) {  // no event's, as none is left that was given
        shared_.on_first_failure(events[at - 1], problem);
        continue;
      }
      if (shared_.stop()) break;  // which may be why
      ++failures;
      if (failures == 1) {
        const bool is_last = shared_.attempts <= 1;
        shared_.on_first_failure(
            events[at], is_last ? problem
                                : fmt::format("{}; it is tried again, {} times in all", problem,
                                              shared_.attempts));
      }
      if (failures >= shared_.attempts) {
        shared_.bad(tickets[at], events[at], problem, processor_->state());
        ++at;
        failures = 0;
      } else if (!wait_to_retry(failures)) {
        break;
      }
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    left_.assign(events.begin() + static_cast<ptrdiff_t>(at), events.end());
    throw;
  }
  const std::lock_guard lock(mutex_);
  left_.assign(events.begin() + static_cast<ptrdiff_t>(at), events.end());
}

// False when a stop came meanwhile.
bool Lane::wait_to_retry(int failures) const {
  int64_t left_ms = shared_.first_wait_ms << std::min(failures - 1, kMostDoublings);
  left_ms = std::min(left_ms, kMostRetryWaitMs);
  while (left_ms > 0 && !shared_.stop()) {
    shared_.clock.sleep_ms(std::min(left_ms, kLookEveryMs));
    left_ms -= kLookEveryMs;
  }
  return !shared_.stop();
}

}  // namespace eventstore
