#include "udp/clocks.hpp"

#include <algorithm>
#include <ctime>

namespace udp {

namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr size_t kMostSamples = 64;
// Clocks of two machines drift apart by less: NTP slews by up to 500 ppm.
constexpr int64_t kDriftPerS = 100'000;  // ns
constexpr int64_t kStampTolerance = 1'000'000;

int64_t now_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * kNsPerS + time.tv_nsec;
}

}  // namespace

int64_t monotonic_ns() {
  return now_ns(CLOCK_MONOTONIC);
}

int64_t realtime_ns() {
  return now_ns(CLOCK_REALTIME);
}

void sleep_until_ns(int64_t due_ns) {
  const timespec due{.tv_sec = due_ns / kNsPerS, .tv_nsec = due_ns % kNsPerS};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
}

// --- Arrival ---

void ArrivalClock::look(int64_t monotonic_now_ns, int64_t realtime_now_ns) {
  // What came before the last look was taken then, but for packets that the kernel stamped and had
  // not queued yet.
  earliest_ns_ = monotonic_ns_ == 0 ? 0 : monotonic_ns_ - kStampTolerance;
  is_stepped_ = false;
  look_again(monotonic_now_ns, realtime_now_ns);
}

void ArrivalClock::look_again(int64_t monotonic_now_ns, int64_t realtime_now_ns) {
  monotonic_ns_ = monotonic_now_ns;
  realtime_ns_ = realtime_now_ns;
}

int64_t ArrivalClock::arrival_ns(int64_t stamp_ns) {
  const int64_t age_ns = realtime_ns_ - stamp_ns;
  const bool is_good = age_ns >= -kStampTolerance && monotonic_ns_ - age_ns >= earliest_ns_;
  if (is_good) return monotonic_ns_ - age_ns;
  if (!is_stepped_) ++steps_;
  is_stepped_ = true;
  return monotonic_ns_;
}

// --- Offset ---

void OffsetEstimate::add(int64_t t1_ns, int64_t t2_ns, int64_t t3_ns, int64_t t4_ns) {
  const Sample sample{
      .client_ns = t4_ns,
      .offset_ns = ((t2_ns - t1_ns) + (t3_ns - t4_ns)) / 2,
      .half_trip_ns = std::max<int64_t>(0, ((t4_ns - t1_ns) - (t3_ns - t2_ns)) / 2)};
  if (samples_.size() == kMostSamples) samples_.erase(samples_.begin());
  samples_.push_back(sample);
}

Offset OffsetEstimate::at(int64_t client_now_ns) const {
  Offset best{.offset_ns = 0, .bound_ns = INT64_MAX};
  for (const Sample& sample : samples_) {
    const int64_t age_ns = std::max<int64_t>(0, client_now_ns - sample.client_ns);
    const int64_t bound_ns = sample.half_trip_ns + age_ns / kNsPerS * kDriftPerS +
                             age_ns % kNsPerS * kDriftPerS / kNsPerS;
    if (bound_ns < best.bound_ns) best = {.offset_ns = sample.offset_ns, .bound_ns = bound_ns};
  }
  return best;
}

}  // namespace udp
