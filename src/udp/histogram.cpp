#include "udp/histogram.hpp"

#include <algorithm>
#include <bit>

#include "base/error.hpp"

namespace udp {

namespace {

// Values below 128 have a bucket each; above, every power of two has 64 buckets.
constexpr int kBits = 6;
constexpr uint32_t kPerOctave = 1U << kBits;
constexpr uint32_t kBuckets = (63 - kBits + 1) * kPerOctave;  // what an int64_t needs

uint32_t bucket_of(int64_t value_us) {
  const auto value = static_cast<uint64_t>(value_us);
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - 1 - kBits);
  return static_cast<uint32_t>(shift) * kPerOctave + static_cast<uint32_t>(value >> shift);
}

}  // namespace

int64_t Histogram::lowest_us(uint32_t bucket) {
  if (bucket >= kBuckets) return INT64_MAX;
  if (bucket < 2 * kPerOctave) return bucket;
  const uint32_t shift = bucket / kPerOctave - 1;
  return static_cast<int64_t>(bucket - shift * kPerOctave) << shift;
}

uint64_t& Histogram::at(uint32_t bucket) {
  if (counts_.empty()) first_ = bucket;
  if (bucket < first_) {
    counts_.insert(counts_.begin(), first_ - bucket, 0);
    first_ = bucket;
  }
  if (bucket - first_ >= counts_.size()) counts_.resize(bucket - first_ + 1);
  return counts_[bucket - first_];
}

void Histogram::add(int64_t value_us, uint64_t times) {
  if (times == 0) return;
  const int64_t value = std::max<int64_t>(value_us, 0);
  at(bucket_of(value)) += times;
  count_ += times;
  sum_us_ += static_cast<double>(value) * static_cast<double>(times);
  max_us_ = std::max(max_us_, value);
}

void Histogram::add(const Histogram& other) {
  for (const auto& [bucket, count] : other.buckets()) at(bucket) += count;
  count_ += other.count_;
  sum_us_ += other.sum_us_;
  max_us_ = std::max(max_us_, other.max_us_);
}

double Histogram::mean_us() const {
  return count_ == 0 ? 0 : sum_us_ / static_cast<double>(count_);
}

int64_t Histogram::percentile_us(double percent) const {
  const double wanted = percent / 100 * static_cast<double>(count_);
  uint64_t seen = 0;
  for (uint32_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (counts_[i] == 0 || static_cast<double>(seen) < wanted) continue;
    return std::min(lowest_us(first_ + i + 1) - 1, max_us_);
  }
  return max_us_;
}

std::vector<std::pair<uint32_t, uint64_t>> Histogram::buckets() const {
  std::vector<std::pair<uint32_t, uint64_t>> used;
  for (uint32_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) used.emplace_back(first_ + i, counts_[i]);
  }
  return used;
}

Histogram Histogram::of(const std::vector<std::pair<uint32_t, uint64_t>>& buckets, double sum_us,
                        int64_t max_us) {
  Histogram histogram;
  for (const auto& [bucket, count] : buckets) {
    if (bucket >= kBuckets) throw base::Error(base::exit_bad_input, "no such bucket");
    histogram.at(bucket) += count;
    histogram.count_ += count;
  }
  histogram.sum_us_ = sum_us;
  histogram.max_us_ = max_us;
  return histogram;
}

}  // namespace udp
