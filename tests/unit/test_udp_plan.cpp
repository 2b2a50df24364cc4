#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

#include "udp/plan.hpp"

namespace {

constexpr int64_t kS = 1'000'000'000;

}  // namespace

TEST_CASE("the rate is exact: nothing is cut off, nothing adds up") {
  struct Row {
    double bps;
    size_t packet_size;
    int64_t seconds;
    uint64_t packets;
  };
  const Row rows[] = {
      {64'000, 160, 10, 500},  {65'000, 160, 20, 1'016},  // 1015.6
      {68'000, 160, 10, 532},                             // 531.25
      {12'800, 32, 60, 3'000}, {8, 160, 1, 1},           {65'000, 160, 86'400, 4'387'500},
  };
  for (const Row& row : rows) {
    const udp::Plan plan({.clients = 1,
                          .bps = row.bps,
                          .packet_size = row.packet_size,
                          .duration_ns = row.seconds * kS});
    CHECK(plan.packets_each() == row.packets);
    CHECK(plan.rounds() == row.packets);
    const double due_ns = static_cast<double>(plan.packets_each() - 1) *
                          static_cast<double>(row.packet_size) * 8e9 / row.bps;
    CHECK(std::abs(static_cast<double>(plan.tick_ns(plan.packets_each() - 1, 0)) - due_ns) < 2);
  }
}

TEST_CASE("ticks divide the interval; callers are spread over them evenly, each in one") {
  for (const uint32_t clients : {1U, 7U, 20U, 1'000U, 65'000U}) {
    const udp::Plan plan({.clients = clients, .bps = 65'000, .duration_ns = kS});
    CHECK(plan.ticks() == std::min(clients, 20U));
    uint32_t next = 0;
    for (uint32_t tick = 0; tick < plan.ticks(); ++tick) {
      CHECK(plan.first_of(tick) == next);
      next = plan.first_of(tick + 1);
      CHECK(next - plan.first_of(tick) <= (clients + plan.ticks() - 1) / plan.ticks());
    }
    CHECK(next == clients);
    CHECK(plan.tick_ns(1, 0) - plan.tick_ns(0, plan.ticks() - 1) <=
          plan.tick_ns(0, 1) - plan.tick_ns(0, 0) + kS / 50);
  }
}

TEST_CASE("each caller sends all its packets, from its place in the ramp on") {
  const udp::Plan plan({.clients = 100, .bps = 64'000, .duration_ns = 2 * kS, .ramp_ns = kS});
  std::vector<uint64_t> sent(100);
  for (uint64_t round = 0; round < plan.rounds(); ++round) {
    for (uint32_t client = 0; client < 100; ++client) sent[client] += plan.sends(client, round);
  }
  for (const uint64_t packets : sent) CHECK(packets == 100);
  CHECK(plan.first_round(0) == 0);
  CHECK(plan.first_round(99) == 49);
  CHECK(plan.tick_ns(plan.first_round(99), plan.ticks() - 1) <= kS);
}

TEST_CASE("a number of packets wins over the time; a rate beyond a packet a tick is kept") {
  const udp::Plan few({.clients = 3, .duration_ns = 100 * kS, .packets = 7});
  CHECK(few.packets_each() == 7);
  const udp::Plan fast(
      {.clients = 10, .bps = 100'000'000, .packet_size = 1'250, .duration_ns = kS});
  CHECK(fast.interval_ns() == doctest::Approx(100'000));
  CHECK(fast.ticks() == 1);
  CHECK(fast.packets_each() == 10'000);
}
