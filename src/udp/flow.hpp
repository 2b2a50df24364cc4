// What a receiver knows of the packets of one caller in one direction. Pure: times come in as
// parameters, in ns of clocks that need not agree.
#pragma once

#include <cstdint>
#include <vector>

#include "udp/histogram.hpp"

namespace udp {

// Times in microseconds, over all packets that arrived (a duplicate counts once).
struct Times {
  double mean_us = 0;
  int64_t p50_us = 0, p95_us = 0, p99_us = 0, max_us = 0;
};
Times times_of(const Histogram& histogram);

struct FlowCounts {
  uint64_t received = 0;    // different packets
  uint64_t duplicated = 0;  // copies beyond the first
  uint64_t reordered = 0;   // arrived after a packet with a higher sequence number (RFC 4737)
  uint64_t late = 0;        // arrived, but more than the jitter buffer after the fastest one so far
  uint64_t expected = 0;    // from the first number to the highest: what the sender sent at least
  uint64_t stale = 0;  // too old to be told from a copy, or before the first; not in `received`
};

class Flow {
 public:
  // `window`: how many sequence numbers back copies are recognised, rounded up to a multiple of 64.
  Flow(uint32_t first_sequence, uint32_t window);

  struct Arrival {
    bool is_new = false;  // the first copy
    bool is_late = false;
    int64_t delay_us = 0;  // one-way, at least 0
    double jitter_us = 0;  // the running estimate after it
  };
  // transit_ns: arrival minus intended time, by two clocks; offset_ns: the receiver's clock minus
  // the sender's, so that transit - offset is the one-way delay. buffer_ns: the jitter buffer.
  Arrival take(uint32_t sequence, int64_t transit_ns, int64_t offset_ns, int64_t buffer_ns);

  const FlowCounts& counts() const { return counts_; }
  const Histogram& delay() const { return delay_; }
  // RFC 3550 6.4.1: mean of the running estimate over all packets, and its largest value.
  double jitter_mean_us() const;
  double jitter_max_us() const { return jitter_max_us_; }

 private:
  void advance_to(uint64_t next);
  Arrival measure(int64_t transit_ns, int64_t offset_ns, int64_t buffer_ns);

  uint64_t first_;
  uint64_t next_;               // extended; one more than the highest so far
  std::vector<uint64_t> seen_;  // a ring of bits over the last `window` sequence numbers
  FlowCounts counts_;
  Histogram delay_;
  int64_t fastest_ns_ = 0;
  int64_t last_transit_ns_ = 0;
  double jitter_us_ = 0, jitter_sum_us_ = 0, jitter_max_us_ = 0;
};

}  // namespace udp
