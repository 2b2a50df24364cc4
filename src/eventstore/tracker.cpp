#include "eventstore/tracker.hpp"

namespace eventstore {

uint64_t Tracker::begin(const Place& place) {
  const std::lock_guard lock(mutex_);
  begun_.push_back({place, "", false});
  return first_ + begun_.size() - 1;
}

void Tracker::pass(const Place& place) {
  const std::lock_guard lock(mutex_);
  if (begun_.empty()) {
    safe_ = place;
    ++moves_;
  } else {
    begun_.back().place = place;  // what becomes safe with it
  }
}

void Tracker::finish(std::span<const uint64_t> tickets, const std::string& state) {
  const std::lock_guard lock(mutex_);
  for (const uint64_t ticket : tickets) begun_[ticket - first_].is_finished = true;
  begun_[tickets.back() - first_].state = state;
  settle();
}

void Tracker::settle() {
  while (!begun_.empty() && begun_.front().is_finished) {
    safe_ = begun_.front().place;
    state_.swap(begun_.front().state);
    begun_.pop_front();
    ++first_;
    ++moves_;
  }
}

Tracker::Safe Tracker::safe() const {
  const std::lock_guard lock(mutex_);
  return {safe_, state_, moves_};
}

size_t Tracker::unfinished() const {
  const std::lock_guard lock(mutex_);
  return begun_.size();
}

}  // namespace eventstore
