// A small test of a few callers, as the sender and the receiver tell of it: ten seconds, ten
// packets a second and caller, 20 ms on the way, nothing lost.
#pragma once

#include <string>
#include <vector>

#include "udp/report.hpp"

namespace udp_report {

inline constexpr uint64_t kEach = 100;  // packets of a caller

inline udp::Settings settings(uint32_t clients) {
  return {.server = "10.0.0.1:5001",
          .clients = clients,
          .bps = 12'800,
          .packet_size = 160,
          .interval_us = 100'000,
          .seconds = 10,
          .echo = false,
          .codec = udp::codec_named("g711"),
          .jitter_buffer_ms = 60,
          .dscp = 0};
}

inline udp::Sent sent(uint32_t clients) {
  udp::Sent sent;
  sent.packets.assign(clients, kEach);
  sent.errors.assign(clients, 0);
  sent.why.assign(clients, "");
  sent.seconds.assign(10, uint64_t{10} * clients);
  sent.planned = kEach * clients;
  sent.planned_s = sent.took_s = 9.9;
  if (clients > 0) sent.lateness.add(40, sent.planned);
  sent.slept = 0.95;
  return sent;
}

inline udp::FlowResult flow(uint64_t received, udp::Histogram& delay, int64_t delay_us = 20'000) {
  udp::Histogram own;
  own.add(delay_us, received);
  delay.add(own);
  udp::FlowResult flow;
  flow.counts.received = received;
  flow.counts.expected = received == 0 ? 0 : kEach;
  flow.delay = udp::times_of(own);
  flow.jitter_mean_us = received == 0 ? 0 : 1500;
  flow.jitter_max_us = received == 0 ? 0 : 2500;
  flow.seen_as = received == 0 ? "" : "10.8.0.2:40000";
  return flow;
}

// What each caller's packets came to.
inline udp::Received received(const std::vector<uint64_t>& of_callers) {
  udp::Received received;
  received.seconds.resize(10);
  for (const uint64_t packets : of_callers) {
    received.flows.push_back(flow(packets, received.delay));
    for (udp::SecondResult& second : received.seconds) {
      const uint64_t share = packets / received.seconds.size();
      second.received += share;
      second.delay_sum_us += 20'000 * static_cast<double>(share);
      second.jitter_sum_us += 1500 * static_cast<double>(share);
      second.delay_max_us = 20'000;
    }
  }
  received.bound_us = 300;
  received.is_bound_known = true;
  return received;
}

inline std::vector<std::string> addresses(uint32_t clients) {
  std::vector<std::string> all;
  for (uint32_t i = 0; i < clients; ++i) all.push_back("10.8.0." + std::to_string(i + 2));
  return all;
}

// Judged without limits.
inline udp::Report report(const std::vector<uint64_t>& of_callers) {
  const auto clients = static_cast<uint32_t>(of_callers.size());
  const udp::Sent all = sent(clients);
  const udp::Received out = received(of_callers);
  udp::Parts parts;
  parts.sent = &all;
  parts.out = &out;
  parts.addresses = addresses(clients);
  udp::Report report = udp::make_report(settings(clients), parts);
  udp::judge(report, {}, &out, nullptr);
  return report;
}

}  // namespace udp_report
