// When each packet of a test is to be sent. Pure.
//
// All callers have the same packet interval. It is divided into ticks of about a millisecond; each
// caller has its tick, so that callers are spread over the interval and the sender wakes up only
// once a tick. Rounds (one interval each) are exact: round k begins at k * interval, never at the
// last round's end plus something.
#pragma once

#include <cstddef>
#include <cstdint>

namespace udp {

struct Load {
  uint32_t clients = 1;
  double bps = 68'000;       // of UDP payload, each client
  size_t packet_size = 160;  // bytes of UDP payload
  int64_t duration_ns = 0;   // each client sends for so long; of no account when `packets` is given
  uint64_t packets = 0;      // each client sends so many; 0: as many as the duration has
  int64_t ramp_ns = 0;       // the last client begins so long after the first
};

class Plan {
 public:
  explicit Plan(const Load& load);

  double interval_ns() const { return interval_ns_; }
  uint32_t ticks() const { return ticks_; }  // in one interval
  uint64_t packets_each() const { return packets_each_; }
  uint64_t rounds() const { return first_round(clients_ - 1) + packets_each_; }

  // Since the beginning.
  int64_t tick_ns(uint64_t round, uint32_t tick) const;
  // The callers of a tick are those from first_of(tick) to first_of(tick + 1).
  uint32_t first_of(uint32_t tick) const;
  // Whether a caller sends in this round.
  bool sends(uint32_t client, uint64_t round) const {
    const uint64_t first = first_round(client);
    return round >= first && round < first + packets_each_;
  }
  uint64_t first_round(uint32_t client) const;
  int64_t end_ns() const;  // when the last packet is due

 private:
  uint32_t clients_;
  double interval_ns_;
  uint32_t ticks_;
  uint64_t packets_each_;
  uint64_t ramp_rounds_;
};

}  // namespace udp
