// A histogram in the manner of HdrHistogram: values in microseconds, each in a bucket at most 1/64
// of its value wide (values below 128 are exact), so that two of them add without a loss.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace udp {

class Histogram {
 public:
  // A negative value counts as 0.
  void add(int64_t value_us, uint64_t times = 1);
  void add(const Histogram& other);

  uint64_t count() const { return count_; }
  int64_t max_us() const { return max_us_; }  // exact; 0 when it is empty
  double mean_us() const;                     // exact; 0 when it is empty
  // The smallest value that `percent` (0 to 100) of all do not exceed, as the highest value of its
  // bucket, and never more than max_us(). 0 when it is empty.
  int64_t percentile_us(double percent) const;

  // The buckets in use: {number, count}, rising; with sum and maximum they are all there is to it.
  std::vector<std::pair<uint32_t, uint64_t>> buckets() const;
  double sum_us() const { return sum_us_; }
  // The lowest value of a bucket, by its number; INT64_MAX behind the last one.
  static int64_t lowest_us(uint32_t bucket);
  // From the parts. Buckets past the last possible one are refused: 65.
  static Histogram of(const std::vector<std::pair<uint32_t, uint64_t>>& buckets, double sum_us,
                      int64_t max_us);

 private:
  uint64_t& at(uint32_t bucket);

  uint32_t first_ = 0;            // the bucket that counts_[0] is
  std::vector<uint64_t> counts_;  // from the first bucket in use to the last: small for one caller
  uint64_t count_ = 0;
  double sum_us_ = 0;
  int64_t max_us_ = 0;
};

}  // namespace udp
