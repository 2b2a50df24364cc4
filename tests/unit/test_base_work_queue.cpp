#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/work_queue.hpp"

namespace {

constexpr int64_t kLongMs = 20'000;  // a test that waits that long has failed

// Work that has begun and goes on until it is let go.
struct Held {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::latch begun{1};

  base::WorkQueue::Work work() {
    return [this](size_t) {
      begun.count_down();
      released.wait();
    };
  }
};

void nothing(size_t /*thread*/) {}

}  // namespace

TEST_CASE("work is done in the order it was offered, by a thread that has a number") {
  std::vector<int> done;
  base::WorkQueue queue(1, 100);
  for (int i = 0; i < 100; ++i) {
    CHECK(queue.offer([&done, i](size_t thread) { done.push_back(thread == 0 ? i : -1); }));
  }
  CHECK(queue.drain(kLongMs) == 0);
  REQUIRE(done.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(done[static_cast<size_t>(i)] == i);
}

TEST_CASE("as many wait as may, what runs does not count") {
  Held held;
  int done = 0;
  base::WorkQueue queue(1, 2);
  CHECK(queue.offer(held.work()));
  held.begun.wait();
  CHECK(queue.waiting() == 0);
  CHECK(queue.offer([&](size_t) { ++done; }));
  CHECK(queue.offer([&](size_t) { ++done; }));
  CHECK(queue.waiting() == 2);
  CHECK(!queue.offer([&](size_t) { done += 100; }));
  CHECK(queue.waiting() == 2);
  held.release.set_value();
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(done == 2);
  CHECK(queue.waiting() == 0);
}

TEST_CASE("where nobody may wait nothing is taken") {
  base::WorkQueue queue(1, 0);
  CHECK(!queue.offer(nothing));
  CHECK(queue.drain(0) == 0);
}

TEST_CASE("without threads work waits, and is counted and dropped") {
  bool done = false;
  {
    base::WorkQueue queue(0, 2);
    CHECK(queue.offer([&](size_t) { done = true; }));
    CHECK(queue.drain(0) == 1);
    CHECK(queue.drain(-5) == 1);
  }
  CHECK(!done);
}

TEST_CASE("threads work at the same time, each with its own number") {
  std::latch all(3);
  std::vector<int> seen(3);
  base::WorkQueue queue(3, 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(queue.offer([&](size_t thread) {
      ++seen.at(thread);
      all.arrive_and_wait();
    }));
  }
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(seen == std::vector<int>{1, 1, 1});
}

TEST_CASE("a drained queue takes no more, and says what was not done in time") {
  Held held;
  std::atomic<int> done = 0;
  base::WorkQueue queue(1, 10);
  CHECK(queue.offer(held.work()));
  held.begun.wait();
  CHECK(queue.offer([&](size_t) { ++done; }));
  CHECK(queue.offer([&](size_t) { ++done; }));
  CHECK(queue.drain(1) == 3);
  CHECK(!queue.offer(nothing));
  CHECK(done == 0);
  held.release.set_value();
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(done == 2);
  CHECK(queue.drain(0) == 0);
  CHECK(!queue.offer(nothing));
}

TEST_CASE("drain ends as soon as all is done") {
  base::WorkQueue queue(2, 10);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(queue.offer([](size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }));
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(kLongMs / 2));
}

TEST_CASE("the destructor waits for what has begun and drops the rest") {
  Held held;
  std::atomic<bool> ended = false;
  std::atomic<bool> dropped_ran = false;
  std::thread releaser;
  {
    base::WorkQueue queue(1, 10);
    CHECK(queue.offer([&](size_t) {
      held.begun.count_down();
      held.released.wait();
      ended = true;
    }));
    held.begun.wait();
    CHECK(queue.offer([&](size_t) { dropped_ran = true; }));
    releaser = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      held.release.set_value();
    });
  }
  CHECK(ended);
  CHECK(!dropped_ran);
  releaser.join();
}

TEST_CASE("work may offer work") {
  std::atomic<int> done = 0;
  std::promise<bool> taken;
  base::WorkQueue queue(1, 1);
  CHECK(queue.offer([&](size_t) {
    ++done;
    taken.set_value(queue.offer([&](size_t) { ++done; }));
  }));
  CHECK(taken.get_future().get());
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(done == 2);
}

TEST_CASE("what work holds may ask the queue when it goes") {
  base::WorkQueue queue(1, 2);
  std::atomic<int> asked = 0;
  const auto ask = [&](const int* /*held*/) {
    static_cast<void>(queue.waiting());
    ++asked;
  };
  const int number = 1;
  CHECK(queue.offer([held = std::shared_ptr<const int>(&number, ask)](size_t) {}));
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(asked == 1);
}

TEST_CASE("every piece that was taken is done once, whoever offers it") {
  constexpr int kOffers = 2'000;
  std::vector<std::atomic<int>> done(4 * kOffers);
  std::atomic<int> taken = 0;
  base::WorkQueue queue(3, 50);
  std::vector<std::thread> offerers;
  for (int offerer = 0; offerer < 4; ++offerer) {
    offerers.emplace_back([&, offerer] {
      for (int i = 0; i < kOffers; ++i) {
        auto& mine = done[static_cast<size_t>(offerer * kOffers + i)];
        if (queue.offer([&mine](size_t) { ++mine; })) ++taken;
      }
    });
  }
  for (std::thread& offerer : offerers) offerer.join();
  CHECK(queue.drain(kLongMs) == 0);
  int sum = 0;
  int most = 0;
  for (const auto& times : done) {
    sum += times;
    most = std::max(most, times.load());
  }
  CHECK(sum == taken);
  CHECK(most == 1);
}

TEST_CASE("work that is offered while the queue is drained is done or refused, never forgotten") {
  for (int i = 0; i < 300; ++i) {
    std::atomic<bool> done = false;
    bool taken = false;
    base::WorkQueue queue(1, 1);
    std::thread offerer([&] { taken = queue.offer([&](size_t) { done = true; }); });
    const size_t undone = queue.drain(kLongMs);
    offerer.join();
    CHECK(undone == 0);
    CHECK(taken == done);
  }
}

TEST_CASE("work of one key takes half of the threads at most, and loses no place") {
  Held first;
  Held second;
  std::atomic<int> of_key = 0;
  std::promise<void> other;
  base::WorkQueue queue(4, 10);
  CHECK(queue.offer(first.work(), "a"));
  CHECK(queue.offer(second.work(), "a"));
  first.begun.wait();
  second.begun.wait();
  CHECK(queue.offer([&](size_t) { ++of_key; }, "a"));
  CHECK(queue.offer([&](size_t) { other.set_value(); }, "b"));
  other.get_future().wait();
  CHECK(of_key == 0);
  CHECK(queue.waiting() == 1);
  first.release.set_value();
  second.release.set_value();
  CHECK(queue.drain(kLongMs) == 0);
  CHECK(of_key == 1);
}

TEST_CASE("a stopped queue takes no more, and may be stopped again") {
  base::WorkQueue queue(2, 10);
  queue.stop();
  queue.stop();
  CHECK(!queue.offer(nothing));
  CHECK(queue.drain(0) == 0);
}
