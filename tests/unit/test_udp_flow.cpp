#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "udp/flow.hpp"

using udp::Flow;

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kBuffer = 60 * kMs;

udp::FlowCounts counts_of(const std::vector<uint32_t>& sequences, uint32_t first = 0,
                          uint32_t window = 256) {
  Flow flow(first, window);
  for (const uint32_t sequence : sequences) flow.take(sequence, 0, 0, kBuffer);
  return flow.counts();
}

}  // namespace

TEST_CASE("loss, copies and order are told apart") {
  struct Row {
    const char* what;
    std::vector<uint32_t> sequences;
    uint64_t received, duplicated, reordered, expected;
  };
  const Row rows[] = {
      {"in order", {0, 1, 2, 3}, 4, 0, 0, 4},
      {"a gap is no reordering", {0, 1, 3, 4}, 4, 0, 0, 5},
      {"the first one lost", {1, 2}, 2, 0, 0, 3},
      {"swapped", {0, 2, 1, 3}, 4, 0, 1, 4},
      {"one far behind", {0, 2, 3, 4, 1}, 5, 0, 1, 5},
      {"the first one last", {1, 2, 0}, 3, 0, 1, 3},
      {"a copy is no reordering", {0, 1, 1, 2, 0}, 3, 2, 0, 3},
      {"copies of one that came late", {0, 2, 1, 1}, 3, 1, 1, 3},
      {"three copies", {0, 0, 0}, 1, 2, 0, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const udp::FlowCounts counts = counts_of(row.sequences);
    CHECK(counts.received == row.received);
    CHECK(counts.duplicated == row.duplicated);
    CHECK(counts.reordered == row.reordered);
    CHECK(counts.expected == row.expected);
    CHECK(counts.stale == 0);
  }
}

TEST_CASE("sequence numbers wrap") {
  const uint32_t first = 0xfffffffd;
  const udp::FlowCounts counts =
      counts_of({first, first + 1, first + 3, first + 2, first + 4, first + 4}, first);
  CHECK(counts.received == 5);
  CHECK(counts.reordered == 1);
  CHECK(counts.duplicated == 1);
  CHECK(counts.expected == 5);
  CHECK(counts.stale == 0);
}

TEST_CASE("what is older than the window is stale, up to its edge it is not") {
  Flow flow(0, 256);
  for (uint32_t i = 0; i < 300; ++i) {
    if (i != 44 && i != 43) flow.take(i, 0, 0, kBuffer);
  }
  flow.take(44, 0, 0, kBuffer);  // 300 - 256
  CHECK(flow.counts().received == 299);
  CHECK(flow.counts().stale == 0);
  flow.take(43, 0, 0, kBuffer);
  CHECK(flow.counts().stale == 1);
  CHECK(flow.counts().received == 299);
}

TEST_CASE("a leap over the whole window forgets what was seen") {
  Flow flow(0, 64);
  flow.take(0, 0, 0, kBuffer);
  flow.take(10'000, 0, 0, kBuffer);
  for (uint32_t i = 9'937; i < 10'000; ++i) flow.take(i, 0, 0, kBuffer);
  CHECK(flow.counts().duplicated == 0);
  CHECK(flow.counts().received == 65);
  CHECK(flow.counts().expected == 10'001);
}

TEST_CASE("a number before the first is no packet of the flow") {
  const udp::FlowCounts counts = counts_of({5, 0xffffffff});
  CHECK(counts.stale == 1);
  CHECK(counts.expected == 6);
}

TEST_CASE("late is later than the buffer after the fastest packet; the delay needs the offset") {
  Flow flow(0, 256);
  const int64_t offset = -3'600'000 * kMs;  // the clocks are an hour apart
  CHECK_FALSE(flow.take(0, offset + 50 * kMs, offset, kBuffer).is_late);
  CHECK_FALSE(flow.take(1, offset + 110 * kMs, offset, kBuffer).is_late);
  CHECK(flow.take(2, offset + 110 * kMs + 1, offset, kBuffer).is_late);
  CHECK_FALSE(flow.take(3, offset + 20 * kMs, offset, kBuffer).is_late);
  CHECK(flow.take(4, offset + 90 * kMs, offset, kBuffer).is_late);
  CHECK(flow.counts().late == 2);
  CHECK(flow.delay().max_us() == 110'000);
  CHECK(flow.take(5, offset - kMs, offset, kBuffer).delay_us == 0);  // within the bound
}

TEST_CASE("jitter: RFC 3550's estimate of uniform +-10 ms is 6.67 ms") {
  Flow flow(0, 256);
  std::mt19937 random(1);
  std::uniform_int_distribution<int64_t> noise(-10 * kMs, 10 * kMs);
  for (uint32_t i = 0; i < 20'000; ++i) flow.take(i, 50 * kMs + noise(random), 0, kBuffer);
  CHECK(flow.jitter_mean_us() == doctest::Approx(6'667).epsilon(0.02));
}

TEST_CASE("a steady flow has no jitter, one step of it 1/16") {
  Flow flow(0, 256);
  flow.take(0, 50 * kMs, 0, kBuffer);
  CHECK(flow.take(1, 50 * kMs, 0, kBuffer).jitter_us == 0);
  CHECK(flow.take(2, 66 * kMs, 0, kBuffer).jitter_us == doctest::Approx(1'000));
  CHECK(flow.jitter_max_us() == doctest::Approx(1'000));
}
