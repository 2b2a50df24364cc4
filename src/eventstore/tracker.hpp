// Which events are finished, when several are worked on at once: the place up to which nothing is
// left to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>

#include "eventstore/source.hpp"

namespace eventstore {

class Tracker {
 public:
  Tracker(Place from, std::string state) : safe_(from), state_(std::move(state)) {}

  // The event at this place is begun; the ticket is for finish().
  uint64_t begin(const Place& place);

  // There is nothing to do up to this place.
  void pass(const Place& place);

  // From any thread. `state` is the running value after the last of them.
  void finish(std::span<const uint64_t> tickets, const std::string& state);

  struct Safe {
    Place place;
    std::string state;
    uint64_t moves = 0;  // grows with every change
  };
  Safe safe() const;

  size_t unfinished() const;

 private:
  struct Begun {
    Place place;
    std::string state;
    bool is_finished = false;
  };
  void settle();

  mutable std::mutex mutex_;
  std::deque<Begun> begun_;
  uint64_t first_ = 0;  // the ticket of begun_.front()
  Place safe_;
  std::string state_;
  uint64_t moves_ = 0;
};

}  // namespace eventstore
