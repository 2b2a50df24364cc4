#include <doctest/doctest.h>

#include "udp/clocks.hpp"

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kS = 1'000 * kMs;
constexpr int64_t kWall = 1'700'000'000 * kS;

}  // namespace

TEST_CASE("a stamp by the wall clock becomes a time of the monotonic clock") {
  udp::ArrivalClock clock;
  clock.look(100 * kMs, kWall);
  clock.look(101 * kMs, kWall + kMs);
  CHECK(clock.arrival_ns(kWall + kMs - 300'000) == 101 * kMs - 300'000);
  CHECK(clock.steps() == 0);
}

TEST_CASE("the wall clock set by an hour, either way, moves no packet and counts once a look") {
  for (const int64_t step : {3'600 * kS, -3'600 * kS}) {
    udp::ArrivalClock clock;
    clock.look(100 * kMs, kWall);
    clock.look(101 * kMs, kWall + kMs);
    // Stamped before the clock was set, looked at after it.
    clock.look(102 * kMs, kWall + 2 * kMs + step);
    CHECK(clock.arrival_ns(kWall + kMs + 500'000) == 102 * kMs);
    CHECK(clock.arrival_ns(kWall + kMs + 600'000) == 102 * kMs);
    CHECK(clock.steps() == 1);
    // From then on stamps are good again.
    clock.look(103 * kMs, kWall + 3 * kMs + step);
    CHECK(clock.arrival_ns(kWall + step + 2 * kMs + 500'000) == 102 * kMs + 500'000);
    CHECK(clock.steps() == 1);
  }
}

TEST_CASE("the offset is that of the exchange with the shortest way, and its bound holds it") {
  udp::OffsetEstimate estimate;
  CHECK_FALSE(estimate.is_known());
  const int64_t truth = 5 * kS;
  // there, back
  const int64_t ways[][2] = {{10 * kMs, kMs}, {2 * kMs, kMs}, {kMs, 30 * kMs}};
  int64_t now = kS;
  for (const auto& way : ways) {
    estimate.add(now, now + way[0] + truth, now + way[0] + truth + kMs,
                 now + way[0] + kMs + way[1]);
    now += 100 * kMs;
  }
  const udp::Offset offset = estimate.at(now);
  CHECK(offset.offset_ns == truth + kMs / 2);
  CHECK(offset.bound_ns >= kMs / 2);
  CHECK(offset.bound_ns < 2 * kMs);
}

TEST_CASE("an old exchange loses against a younger one that took a little longer") {
  udp::OffsetEstimate estimate;
  estimate.add(0, 50'000, 50'000, 100'000);                // offset 0, 50 us
  estimate.add(60 * kS, 61 * kS, 61 * kS, 60 * kS + kMs);  // offset about 1 s: it was slewed
  CHECK(estimate.at(kS).offset_ns == 0);
  CHECK(estimate.at(60 * kS + kMs).offset_ns > 900 * kMs);
  CHECK(estimate.at(120 * kS).bound_ns > 5 * kMs);  // drift
}

TEST_CASE("a packet that comes while a long queue is taken keeps its time and is no set clock") {
  udp::ArrivalClock clock;
  clock.look(100 * kMs, kWall);
  clock.look(101 * kMs, kWall + kMs);
  clock.look_again(106 * kMs, kWall + 6 * kMs);
  CHECK(clock.arrival_ns(kWall + 5 * kMs) == 105 * kMs);
  CHECK(clock.arrival_ns(kWall + 500'000) == 100 * kMs + 500'000);  // it waited since before
  CHECK(clock.steps() == 0);
}
