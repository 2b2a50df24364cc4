#include "udp/plan.hpp"

#include <algorithm>
#include <cmath>

namespace udp {

namespace {

constexpr double kNsPerS = 1e9;
constexpr double kTickNs = 1e6;

}  // namespace

Plan::Plan(const Load& load)
    : clients_(load.clients),
      interval_ns_(static_cast<double>(load.packet_size) * 8 / load.bps * kNsPerS),
      ramp_rounds_(static_cast<uint64_t>(static_cast<double>(load.ramp_ns) / interval_ns_)) {
  const double wanted_ticks = std::max(1.0, std::ceil(interval_ns_ / kTickNs));
  ticks_ = static_cast<uint32_t>(std::min(wanted_ticks, static_cast<double>(clients_)));
  // Up to the last packet that is due before the end; a whole number of intervals stays whole.
  const double intervals = static_cast<double>(load.duration_ns) / interval_ns_;
  packets_each_ = load.packets != 0
                      ? load.packets
                      : static_cast<uint64_t>(std::max(1.0, std::ceil(intervals - 1e-9)));
}

uint64_t Plan::first_round(uint32_t client) const {
  return ramp_rounds_ * client / clients_;
}

int64_t Plan::tick_ns(uint64_t round, uint32_t tick) const {
  const double intervals = static_cast<double>(round) + static_cast<double>(tick) / ticks_;
  return std::llround(intervals * interval_ns_);
}

uint32_t Plan::first_of(uint32_t tick) const {
  return static_cast<uint32_t>(uint64_t{clients_} * tick / ticks_);
}

int64_t Plan::end_ns() const {
  return tick_ns(rounds() - 1, ticks_ - 1);
}

}  // namespace udp
