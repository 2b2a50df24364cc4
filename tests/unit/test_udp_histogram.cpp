#include <doctest/doctest.h>

#include <cstdint>

#include "base/error.hpp"
#include "udp/histogram.hpp"

using udp::Histogram;

TEST_CASE("values below 128 are exact, larger ones within 1/64, at every power of two") {
  for (int64_t value = 0; value < 128; ++value) {
    Histogram one;
    one.add(value);
    CHECK(Histogram::lowest_us(one.buckets()[0].first) == value);
  }
  for (int shift = 7; shift < 62; ++shift) {
    for (const int64_t value : {(int64_t{1} << shift) - 1, int64_t{1} << shift,
                                (int64_t{1} << shift) + (int64_t{1} << (shift - 1)) + 1}) {
      Histogram two;
      two.add(value);
      two.add(value * 2);  // so that the maximum does not hide the bucket's end
      const uint32_t bucket = two.buckets()[0].first;
      CHECK(Histogram::lowest_us(bucket) <= value);
      CHECK(Histogram::lowest_us(bucket + 1) > value);
      CHECK(two.percentile_us(50) >= value);
      CHECK(two.percentile_us(50) - value <= value / 64);
    }
  }
}

TEST_CASE("percentiles, mean and maximum of known values") {
  Histogram histogram;
  for (int64_t value = 1; value <= 100; ++value) histogram.add(value);
  CHECK(histogram.count() == 100);
  CHECK(histogram.mean_us() == doctest::Approx(50.5));
  CHECK(histogram.percentile_us(50) == 50);
  CHECK(histogram.percentile_us(99) == 99);
  CHECK(histogram.percentile_us(100) == 100);
  CHECK(histogram.percentile_us(0) == 1);
  CHECK(histogram.max_us() == 100);
  histogram.add(-5);
  CHECK(histogram.percentile_us(0) == 0);
}

TEST_CASE("nothing in it") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.percentile_us(99) == 0);
  CHECK(empty.mean_us() == 0);
  CHECK(empty.buckets().empty());
}

TEST_CASE("two halves added are the whole, whatever the order") {
  Histogram whole;
  Histogram low;
  Histogram high;
  for (int64_t value = 1; value < 1'000'000; value = value * 3 / 2 + 1) {
    whole.add(value, 3);
    (value < 1'000 ? low : high).add(value, 3);
  }
  Histogram one = low;
  one.add(high);
  Histogram other = high;
  other.add(low);
  for (const Histogram& sum : {one, other}) {
    CHECK(sum.buckets() == whole.buckets());
    CHECK(sum.count() == whole.count());
    CHECK(sum.sum_us() == whole.sum_us());
    CHECK(sum.max_us() == whole.max_us());
  }
}

TEST_CASE("its parts make it again; a bucket that can't be is refused") {
  Histogram histogram;
  histogram.add(20'000, 5);
  histogram.add(INT64_MAX);
  const Histogram again =
      Histogram::of(histogram.buckets(), histogram.sum_us(), histogram.max_us());
  CHECK(again.buckets() == histogram.buckets());
  CHECK(again.percentile_us(50) == histogram.percentile_us(50));
  CHECK_THROWS_AS(Histogram::of({{100'000, 1}}, 0, 0), base::Error);
}

TEST_CASE("the last bucket ends where numbers do") {
  Histogram histogram;
  histogram.add(INT64_MAX);
  const uint32_t last = histogram.buckets().back().first;
  CHECK(Histogram::lowest_us(last) > 0);
  CHECK(Histogram::lowest_us(last + 1) == INT64_MAX);
  CHECK(histogram.percentile_us(50) >= Histogram::lowest_us(last));
}
