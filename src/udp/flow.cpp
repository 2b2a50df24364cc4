#include "udp/flow.hpp"

#include <algorithm>
#include <cstdlib>

namespace udp {

Times times_of(const Histogram& histogram) {
  return {.mean_us = histogram.mean_us(),
          .p50_us = histogram.percentile_us(50),
          .p95_us = histogram.percentile_us(95),
          .p99_us = histogram.percentile_us(99),
          .max_us = histogram.max_us()};
}

Flow::Flow(uint32_t first_sequence, uint32_t window)
    : first_(first_sequence), next_(first_sequence), seen_(std::max(1U, (window + 63) / 64)) {}

// Forgets what the ring held for numbers a whole ring ago.
void Flow::advance_to(uint64_t next) {
  const uint64_t bits = seen_.size() * 64;
  if (next - next_ >= bits) {
    std::fill(seen_.begin(), seen_.end(), 0);
  } else {
    for (uint64_t number = next_; number < next; ++number) {
      seen_[number / 64 % seen_.size()] &= ~(uint64_t{1} << (number % 64));
    }
  }
  next_ = next;
}

Flow::Arrival Flow::take(uint32_t sequence, int64_t transit_ns, int64_t offset_ns,
                         int64_t buffer_ns) {
  // The packet carries the lower half of its number: it is the one nearest to the next.
  const auto ahead = static_cast<int32_t>(sequence - static_cast<uint32_t>(next_));
  const auto behind = static_cast<uint64_t>(std::max<int64_t>(0, -int64_t{ahead}));
  if (behind > next_ - first_ || behind > seen_.size() * 64) {
    ++counts_.stale;
    return {};
  }
  const uint64_t number = next_ + static_cast<uint64_t>(int64_t{ahead});
  const bool is_reordered = number < next_;
  if (!is_reordered) advance_to(number + 1);
  uint64_t& word = seen_[number / 64 % seen_.size()];
  const uint64_t bit = uint64_t{1} << (number % 64);
  if ((word & bit) != 0) {
    ++counts_.duplicated;
    return {};
  }
  word |= bit;
  counts_.expected = next_ - first_;
  if (is_reordered) ++counts_.reordered;
  return measure(transit_ns, offset_ns, buffer_ns);
}

Flow::Arrival Flow::measure(int64_t transit_ns, int64_t offset_ns, int64_t buffer_ns) {
  Arrival arrival{.is_new = true};
  const bool is_first = counts_.received == 0;
  ++counts_.received;
  if (is_first || transit_ns < fastest_ns_) fastest_ns_ = transit_ns;
  arrival.is_late = transit_ns - fastest_ns_ > buffer_ns;
  if (arrival.is_late) ++counts_.late;
  if (!is_first) {
    const auto difference_us = static_cast<double>(std::abs(transit_ns - last_transit_ns_)) / 1000;
    jitter_us_ += (difference_us - jitter_us_) / 16;
  }
  last_transit_ns_ = transit_ns;
  jitter_sum_us_ += jitter_us_;
  jitter_max_us_ = std::max(jitter_max_us_, jitter_us_);
  arrival.jitter_us = jitter_us_;
  arrival.delay_us = std::max<int64_t>(0, (transit_ns - offset_ns) / 1000);
  delay_.add(arrival.delay_us);
  return arrival;
}

double Flow::jitter_mean_us() const {
  return counts_.received == 0 ? 0 : jitter_sum_us_ / static_cast<double>(counts_.received);
}

}  // namespace udp
