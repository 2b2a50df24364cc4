#include "eventstore/tracker.hpp"

#include <thread>

#include "eventstore_server.hpp"

using eventstore::Tracker;
using eventstore_server::text_of;

namespace {

eventstore::Place at(uint64_t revision) {
  return {eventstore::Place::Kind::after, revision, {}};
}

void finish(Tracker& tracker, std::vector<uint64_t> tickets, const std::string& state = "") {
  tracker.finish(tickets, state);
}

// "7 the state".
std::string safe(const Tracker& tracker) {
  const Tracker::Safe safe = tracker.safe();
  return text_of(safe.place) + (safe.state.empty() ? "" : " " + safe.state);
}

}  // namespace

TEST_CASE("nothing is safe that stands behind an unfinished event") {
  Tracker tracker({}, "");
  const uint64_t one = tracker.begin(at(1));
  const uint64_t two = tracker.begin(at(2));
  const uint64_t three = tracker.begin(at(3));
  finish(tracker, {three});
  finish(tracker, {two});
  CHECK(safe(tracker) == "start");
  CHECK(tracker.unfinished() == 3);
  finish(tracker, {one});
  CHECK(safe(tracker) == "3");
  CHECK(tracker.unfinished() == 0);
}

TEST_CASE("what is passed over becomes safe with what stands before it") {
  Tracker tracker(at(0), "");
  tracker.pass(at(4));
  CHECK(safe(tracker) == "4");
  const uint64_t five = tracker.begin(at(5));
  tracker.pass(at(6));
  tracker.pass(at(7));
  CHECK(safe(tracker) == "4");
  const uint64_t eight = tracker.begin(at(8));
  tracker.pass(at(9));
  finish(tracker, {eight});
  CHECK(safe(tracker) == "4");
  finish(tracker, {five});
  CHECK(safe(tracker) == "9");
  tracker.pass(at(10));
  CHECK(safe(tracker) == "10");
}

TEST_CASE("a passed place behind a finished event waits for the unfinished one before") {
  Tracker tracker(at(0), "");
  const uint64_t one = tracker.begin(at(1));
  const uint64_t two = tracker.begin(at(2));
  finish(tracker, {two});
  tracker.pass(at(3));
  CHECK(safe(tracker) == "0");
  finish(tracker, {one});
  CHECK(safe(tracker) == "3");
}

TEST_CASE("the running value is the one of the safe place") {
  Tracker tracker(at(0), "zero");
  CHECK(safe(tracker) == "0 zero");
  std::vector<uint64_t> tickets;
  for (uint64_t i = 1; i <= 5; ++i) tickets.push_back(tracker.begin(at(i)));
  finish(tracker, {tickets[0], tickets[1]}, "two");
  CHECK(safe(tracker) == "2 two");
  tracker.pass(at(6));
  CHECK(safe(tracker) == "2 two");
  finish(tracker, {tickets[2], tickets[3], tickets[4]}, "five");
  CHECK(safe(tracker) == "6 five");
  tracker.pass(at(7));
  CHECK(safe(tracker) == "7 five");
}

TEST_CASE("every change counts, and nothing else") {
  Tracker tracker(at(0), "");
  CHECK(tracker.safe().moves == 0);
  const uint64_t one = tracker.begin(at(1));
  tracker.pass(at(2));
  CHECK(tracker.safe().moves == 0);
  finish(tracker, {one});
  const uint64_t moves = tracker.safe().moves;
  CHECK(moves > 0);
  tracker.pass(at(3));
  CHECK(tracker.safe().moves > moves);
}

TEST_CASE("threads that finish in any order leave it at the last event") {
  constexpr uint64_t kEvents = 20'000;
  constexpr size_t kThreads = 4;
  Tracker tracker({}, "");
  std::vector<std::vector<uint64_t>> tickets(kThreads);
  for (uint64_t i = 0; i < kEvents; ++i) tickets[i * 7 % kThreads].push_back(tracker.begin(at(i)));
  std::vector<std::thread> threads;
  for (auto& own : tickets) {
    threads.emplace_back([&tracker, &own] {
      while (!own.empty()) {
        finish(tracker, {own.back()});
        own.pop_back();
      }
    });
  }
  uint64_t last = 0;
  bool grows = true;
  while (last < kEvents - 1) {
    const eventstore::Place place = tracker.safe().place;
    grows = grows && place.revision >= last;
    last = place.revision;
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(grows);
  CHECK(tracker.unfinished() == 0);
}
