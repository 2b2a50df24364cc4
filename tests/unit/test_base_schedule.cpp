#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <vector>

#include "base/schedule.hpp"

namespace {

// Things that are over after so many steps, and what became of them.
struct Stage {
  std::vector<std::atomic<int>> left;
  std::atomic<int> at_once = 0;
  std::atomic<int> most_at_once = 0;
  std::vector<size_t> over;
  int64_t wait_ms = 0;

  explicit Stage(size_t things, int steps) : left(things) {
    for (auto& one : left) one = steps;
  }

  base::Schedule schedule(size_t most_at_once_wanted, size_t threads) {
    base::Schedule made;
    made.things = left.size();
    made.most_at_once = most_at_once_wanted;
    made.threads = threads;
    made.step = [this](size_t thing, size_t) -> std::optional<int64_t> {
      const int now = ++at_once;
      if (now > most_at_once) most_at_once = now;
      const bool is_over = --left[thing] == 0;
      --at_once;
      if (is_over) return std::nullopt;
      return wait_ms;
    };
    made.on_over = [this](size_t thing) {
      over.push_back(thing);
      return true;
    };
    made.on_tick = [](size_t, size_t) { return true; };
    return made;
  }
};

}  // namespace

TEST_CASE("schedule: everything is done once, by any number of threads") {
  for (const size_t threads : {size_t{1}, size_t{4}}) {
    Stage stage(200, 3);
    base::run_schedule(stage.schedule(50, threads));
    CHECK(std::set<size_t>(stage.over.begin(), stage.over.end()).size() == 200);
    for (const auto& left : stage.left) CHECK(left == 0);
  }
}

TEST_CASE("schedule: no things at all, and no threads asked for") {
  Stage none(0, 1);
  base::run_schedule(none.schedule(1, 1));
  CHECK(none.over.empty());
  Stage one(1, 1);
  base::run_schedule(one.schedule(0, 0));
  CHECK(one.over == std::vector<size_t>{0});
}

TEST_CASE("schedule: only so many have begun and are not over") {
  Stage stage(20, 2);
  base::Schedule schedule = stage.schedule(3, 4);
  std::set<size_t> begun;
  const auto step = schedule.step;
  size_t most = 0;
  schedule.threads = 1;
  schedule.step = [&](size_t thing, size_t thread) {
    begun.insert(thing);
    most = std::max(most, begun.size() - stage.over.size());
    return step(thing, thread);
  };
  base::run_schedule(schedule);
  CHECK(most == 3);
  CHECK(stage.over.size() == 20);
}

TEST_CASE("schedule: after a no of on_over no more are begun, and those that were end") {
  Stage stage(20, 2);
  base::Schedule schedule = stage.schedule(4, 1);
  schedule.on_over = [&stage](size_t thing) {
    stage.over.push_back(thing);
    return false;
  };
  base::run_schedule(schedule);
  CHECK(stage.over.size() == 4);
  for (size_t i = 4; i < 20; ++i) CHECK(stage.left[i] == 2);
}

TEST_CASE("schedule: on_tick stops it, however long the waits are") {
  Stage stage(3, 2);
  stage.wait_ms = 3'600'000;
  base::Schedule schedule = stage.schedule(3, 2);
  int ticks = 0;
  schedule.on_tick = [&ticks](size_t, size_t) { return ++ticks < 2; };
  base::run_schedule(schedule);
  CHECK(stage.over.empty());
}

TEST_CASE("schedule: what is due first comes first") {
  std::vector<size_t> order;
  std::vector<int> steps(3);
  base::Schedule schedule;
  schedule.things = 3;
  schedule.most_at_once = 3;
  schedule.step = [&](size_t thing, size_t) -> std::optional<int64_t> {
    if (++steps[thing] == 1) return thing == 0 ? 40 : (thing == 1 ? 20 : 0);
    order.push_back(thing);
    return std::nullopt;
  };
  schedule.on_over = [](size_t) { return true; };
  schedule.on_tick = [](size_t, size_t) { return true; };
  base::run_schedule(schedule);
  CHECK(order == std::vector<size_t>{2, 1, 0});
}
