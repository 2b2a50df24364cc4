// Two clocks made comparable: the kernel's time stamps with our monotonic clock, and the sender's
// clock with the receiver's.
#pragma once

#include <cstdint>
#include <vector>

namespace udp {

int64_t monotonic_ns();               // CLOCK_MONOTONIC
int64_t realtime_ns();                // CLOCK_REALTIME, which the kernel stamps packets with
void sleep_until_ns(int64_t due_ns);  // of CLOCK_MONOTONIC; a signal ends it early

// When a packet came, by the monotonic clock. The kernel's stamp is by the wall clock, which may be
// set while we run: a stamp that lies in the future or before the last look is no good, and the
// packet counts as having come now.
class ArrivalClock {
 public:
  // A look at the socket: both clocks, read right after one another.
  void look(int64_t monotonic_now_ns, int64_t realtime_now_ns);
  // Another look for what came while packets were taken: some may still be from before the first.
  void look_again(int64_t monotonic_now_ns, int64_t realtime_now_ns);
  int64_t arrival_ns(int64_t stamp_ns);
  // Times the wall clock was set, as far as stamps showed.
  uint64_t steps() const { return steps_; }

 private:
  int64_t monotonic_ns_ = 0, realtime_ns_ = 0, earliest_ns_ = 0;
  uint64_t steps_ = 0;
  bool is_stepped_ = false;
};

// How far the server's clock is ahead of the client's, from exchanges of four time stamps (RFC 5905
// section 8). The exchange with the shortest way there and back tells most; older ones count less,
// as clocks drift.
struct Offset {
  int64_t offset_ns = 0;
  int64_t bound_ns = 0;  // the truth lies within offset +- bound; half of the round trip, and drift
};

class OffsetEstimate {
 public:
  // Client sent, server got, server answered, client got; each by its own clock.
  void add(int64_t t1_ns, int64_t t2_ns, int64_t t3_ns, int64_t t4_ns);
  bool is_known() const { return !samples_.empty(); }
  Offset at(int64_t client_now_ns) const;  // is_known() only

 private:
  struct Sample {
    int64_t client_ns, offset_ns, half_trip_ns;
  };
  std::vector<Sample> samples_;  // the last 64
};

}  // namespace udp
