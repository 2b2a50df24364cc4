#include "udp/report.hpp"

#include <algorithm>
#include <cmath>

#include "udp/figures.hpp"

namespace udp {

namespace {

template <typename Item>
Item at(const std::vector<Item>& list, size_t i) {
  return i < list.size() ? list[i] : Item{};
}

// What is left of what was sent; more can't have come than was sent, but a count of what was sent
// may be missing.
uint64_t lost_of(uint64_t sent, uint64_t received) {
  return sent - std::min(sent, received);
}

struct Quality {
  double r = 0, mos = 1;
};

// The network's delay is its median: a mean would be pulled up by stragglers that come too late for
// the jitter buffer and so count as lost already.
Quality quality_of(const Settings& settings, const FlowResult& flow, uint64_t sent, uint64_t lost,
                   bool is_delay_known) {
  if (flow.counts.received == 0) return {};
  const auto all = static_cast<double>(std::max(sent, flow.counts.received));
  const double network_ms = is_delay_known ? static_cast<double>(flow.delay.p50_us) / 1000 : 0;
  const Heard heard{.loss = std::min(1.0, static_cast<double>(lost + flow.counts.late) / all),
                    .delay_ms = network_ms + settings.codec.frame_ms + settings.jitter_buffer_ms};
  const double r = rating(settings.codec, heard);
  return {.r = r, .mos = mos(r)};
}

void rate(Caller& caller, const Settings& settings, const Parts& parts) {
  if (caller.sent == 0 && caller.send_errors == 0) return;  // it never spoke
  if (parts.out == nullptr && parts.back == nullptr) return;
  Quality worse{.r = 1000, .mos = 1000};
  if (parts.out != nullptr) {
    worse = quality_of(settings, caller.out, caller.sent, caller.lost, parts.out->is_bound_known);
  }
  if (caller.has_back) {
    const Quality back = quality_of(settings, caller.back, caller.back_sent, caller.back_lost,
                                    parts.back->is_bound_known);
    if (back.r < worse.r) worse = back;
  }
  caller.r = worse.r;
  caller.mos = worse.mos;
}

Caller caller_of(const Settings& settings, const Parts& parts, uint32_t i) {
  Caller caller;
  caller.client = i;
  caller.address = at(parts.addresses, i);
  if (parts.out != nullptr) caller.out = at(parts.out->flows, i);
  caller.sent = parts.sent != nullptr ? at(parts.sent->packets, i) : caller.out.counts.expected;
  if (parts.sent != nullptr) {
    caller.send_errors = at(parts.sent->errors, i);
    caller.send_error = at(parts.sent->why, i);
  }
  if (parts.out != nullptr) caller.lost = lost_of(caller.sent, caller.out.counts.received);
  if (parts.back != nullptr) {
    caller.has_back = true;
    caller.back = at(parts.back->flows, i);
    // Without the server's word, all that was sent should have come back.
    caller.back_sent = parts.echoes != nullptr ? at(*parts.echoes, i)
                       : parts.out != nullptr  ? caller.out.counts.received
                                               : caller.sent;
    caller.back_lost = lost_of(caller.back_sent, caller.back.counts.received);
  }
  if (parts.rtt != nullptr && i < parts.rtt->size()) caller.rtt = times_of((*parts.rtt)[i]);
  rate(caller, settings, parts);
  return caller;
}

TotalSecond second_of(const Settings& settings, const Parts& parts, size_t number) {
  const SecondResult result =
      parts.out != nullptr ? at(parts.out->seconds, number) : SecondResult{};
  TotalSecond second;
  second.second = static_cast<int64_t>(number);
  second.received = result.received;
  second.late = result.late;
  second.sent = parts.sent != nullptr ? at(parts.sent->seconds, number) : result.received;
  if (parts.out != nullptr) second.lost = lost_of(second.sent, second.received);
  second.delay_max_us = result.delay_max_us;
  if (result.received > 0) {
    second.delay_us = result.delay_sum_us / static_cast<double>(result.received);
    second.jitter_us = result.jitter_sum_us / static_cast<double>(result.received);
  }
  FlowResult flow;
  flow.counts.received = result.received;
  flow.counts.late = result.late;
  flow.delay.p50_us = std::llround(second.delay_us);
  if (parts.out != nullptr && second.sent > 0) {
    second.mos =
        quality_of(settings, flow, second.sent, second.lost, parts.out->is_bound_known).mos;
  }
  return second;
}

void add_to(Direction& direction, uint64_t sent, uint64_t lost, const FlowCounts& counts) {
  direction.sent += sent;
  direction.received += counts.received;
  direction.lost += lost;
  direction.duplicated += counts.duplicated;
  direction.reordered += counts.reordered;
  direction.late += counts.late;
}

// What was sent in the time it took, against what was planned in the time planned for it.
void rate_of_sending(Totals& totals, const Settings& settings, const Sent& sent) {
  if (sent.planned == 0 || settings.interval_us <= 0) return;
  const double planned_bps =
      static_cast<double>(settings.packet_size) * 8 / (settings.interval_us / 1e6);
  const double slower = sent.planned_s > 0 && sent.took_s > 0 ? sent.took_s / sent.planned_s : 1;
  totals.rate_bps = planned_bps * share_of(totals.out.sent, sent.planned) / slower;
  if (settings.bps > 0) totals.rate_error = totals.rate_bps / settings.bps - 1;
}

}  // namespace

void add_up(Report& report) {
  Totals& totals = report.totals;
  totals.out = {};
  totals.back = {};
  totals.send_errors = totals.callers_below = 0;
  totals.mos_mean = totals.mos_min = 0;
  report.jitter = {};
  uint64_t rated = 0;
  for (const Caller& caller : report.callers) {
    add_to(totals.out, caller.sent, caller.lost, caller.out.counts);
    if (caller.has_back) {
      add_to(totals.back, caller.back_sent, caller.back_lost, caller.back.counts);
    }
    totals.send_errors += caller.send_errors;
    if (caller.out.counts.received > 0) report.jitter.add(std::llround(caller.out.jitter_mean_us));
    if (caller.mos == 0) continue;
    totals.mos_min = rated == 0 ? caller.mos : std::min(totals.mos_min, caller.mos);
    totals.mos_mean += caller.mos;
    if (caller.mos < totals.mos_limit) ++totals.callers_below;
    ++rated;
  }
  if (rated > 0) totals.mos_mean /= static_cast<double>(rated);
}

Report make_report(const Settings& settings, const Parts& parts) {
  Report report;
  report.settings = settings;
  report.has_receiver = parts.out != nullptr;
  for (uint32_t i = 0; i < settings.clients; ++i) {
    report.callers.push_back(caller_of(settings, parts, i));
  }
  add_up(report);
  size_t seconds = parts.sent != nullptr ? parts.sent->seconds.size() : 0;
  if (parts.out != nullptr) seconds = std::max(seconds, parts.out->seconds.size());
  for (size_t i = 0; i < seconds; ++i) report.seconds.push_back(second_of(settings, parts, i));

  if (parts.sent != nullptr) {
    report.totals.planned = parts.sent->planned;
    report.lateness = parts.sent->lateness;
    report.slept = parts.sent->slept;
    rate_of_sending(report.totals, settings, *parts.sent);
  }
  if (parts.out != nullptr) {
    report.delay = parts.out->delay;
    report.bound_us = parts.out->bound_us;
    report.is_bound_known = parts.out->is_bound_known;
    report.other = parts.out->other;
    report.malformed = parts.out->malformed;
    report.clock_steps = parts.out->clock_steps;
  }
  if (parts.back != nullptr) {
    report.back_delay = parts.back->delay;
    report.bound_us = std::max(report.bound_us, parts.back->bound_us);
    if (parts.out == nullptr) report.is_bound_known = parts.back->is_bound_known;
    report.clock_steps += parts.back->clock_steps;
  }
  if (parts.rtt != nullptr) {
    for (const Histogram& rtt : *parts.rtt) report.rtt.add(rtt);
  }
  return report;
}

}  // namespace udp
