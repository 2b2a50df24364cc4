#include "commands/udp_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/report.hpp"
#include "commands/udp_ends.hpp"
#include "commands/udp_output.hpp"
#include "commands/udp_progress.hpp"
#include "commands/udp_server.hpp"
#include "udp/control_client.hpp"
#include "udp/figures.hpp"
#include "udp/sender.hpp"

namespace commands {

namespace {

constexpr int64_t kReportMs = 15'000;
constexpr int64_t kDrainNs = 1'500'000'000;  // packets on the way still arrive
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kLeadNs = 300 * kNsPerMs;  // so that the server knows of the beginning first
constexpr double kFindLoss = 0.01;
constexpr double kFindMos = 3.6;

udp::SessionRequest request_for(const UdpTest& test, const udp::Plan& plan) {
  return {.clients = test.load.clients,
          .packet_size = test.load.packet_size,
          .bps = test.load.bps,
          .seconds = static_cast<double>(plan.end_ns()) / 1e9,
          .echo = test.echo,
          .jitter_buffer_ms = test.jitter_buffer_ms,
          .codec = test.codec};
}

std::string text_of(const udp::From& from) {
  return from.interface.empty() ? from.address.text()
                                : fmt::format("{} {}", from.address.text(), from.interface);
}

udp::Settings settings_of(const UdpTest& test, const udp::Plan& plan, const UdpEnds& ends,
                          bool echo) {
  return {.server = ends.server.with_port(),
          .clients = test.load.clients,
          .bps = test.load.bps,
          .packet_size = test.load.packet_size,
          .interval_us = plan.interval_ns() / 1000,
          .seconds = static_cast<double>(plan.packets_each()) * plan.interval_ns() / 1e9,
          .echo = echo,
          .codec = test.codec,
          .jitter_buffer_ms = test.jitter_buffer_ms,
          .dscp = test.sockets.dscp};
}

}  // namespace

udp::Report run_udp_test(const Options& options, const UdpTest& test, const udp::Limits& limits) {
  const bool is_quiet = options.toggle("quiet");
  const udp::Plan plan(test.load);
  const UdpEnds ends = find_udp_ends(test);
  const int64_t started_unix_s = base::real_clock().unix_s();
  // Before the control connection, whose thread uses them.
  udp::SendingNow now;
  UdpProgress progress(now, test.codec, test.jitter_buffer_ms, is_quiet);
  udp::ControlClient control([&ends] { return connect_udp_control(ends.place, ends.way); },
                             request_for(test, plan));
  udp::Sender sender({.load = test.load,
                      .callers = ends.callers,
                      .server = ends.server,
                      .sockets = test.sockets,
                      .cookie = control.cookie(),
                      .echo = control.echo(),
                      .jitter_buffer_ms = test.jitter_buffer_ms,
                      .offset = [&control] { return control.offset(); },
                      .first_offset_ns = control.first_offset().offset_ns,
                      .stop = [] { return base::stop_asked(); }});
  if (sender.sockets() < test.load.clients && !is_quiet) {
    report_progress(kUdpLoad, fmt::format("{} callers share {} sockets, as no more may be open "
                                          "(ulimit -n)",
                                          test.load.clients, sender.sockets()));
  }
  const int64_t begin_ns = udp::monotonic_ns() + kLeadNs + 4 * control.worst_bound_ns();
  control.start(begin_ns, [&](const udp::Sessions::Progress& second) {
    progress.look(second);
    now.worst_late_us = 0;
  });
  const udp::SendOutcome outcome = sender.run(begin_ns, kDrainNs, now);
  if (!control.echo()) base::real_clock().sleep_ms(kDrainNs / kNsPerMs);
  const auto answer = control.finish(outcome.sent, kReportMs);
  if (!answer && !is_quiet) {
    report_progress(kUdpLoad, "no report came from the server: " + control.why());
  }

  udp::Parts parts;
  parts.sent = &outcome.sent;
  if (answer) parts.out = &answer->received;
  if (control.echo()) {
    parts.back = &outcome.back;
    parts.rtt = &outcome.rtt;
    if (answer) parts.echoes = &answer->echoes;
  }
  for (uint32_t i = 0; i < test.load.clients && !ends.callers.empty(); ++i) {
    parts.addresses.push_back(text_of(ends.callers[i % ends.callers.size()]));
  }
  udp::Report report = udp::make_report(settings_of(test, plan, ends, control.echo()), parts);
  report.started_unix_s = started_unix_s;
  if (outcome.is_stopped) report.ended = "interrupted";
  udp::judge(report, limits, parts.out, parts.back);
  return report;
}

namespace {

bool meets(const udp::Report& report) {
  return report.has_receiver && report.verdict.is_valid && report.verdict.broken_limits.empty();
}

// What is known of more callers than the good ones.
std::string beyond(uint32_t good, uint32_t bad, uint32_t most) {
  if (good == most) return ", as many as --clients says";
  return bad <= most ? fmt::format("; {} do not", bad) : "; more were not tried";
}

// Doubles until the limits break, then halves the gap to within 5 %.
int find_max(const Options& options, UdpTest test, udp::Limits limits) {
  const bool has_limits =
      limits.loss >= 0 || limits.jitter_ms >= 0 || limits.delay_p99_ms >= 0 || limits.mos >= 0;
  if (!has_limits) {
    limits.loss = kFindLoss;
    limits.mos = kFindMos;
  }
  const uint32_t most = test.load.clients;
  uint32_t good = 0;
  uint32_t bad = most + 1;
  std::optional<udp::Report> best;
  std::optional<udp::Report> last;
  std::optional<base::Error> failed;  // what ended the search, once there was a good run
  const bool is_quiet = options.toggle("quiet");
  uint32_t next = std::min<uint32_t>(most, 10);
  while (next > good && next < bad && !base::stop_asked()) {
    test.load.clients = next;
    try {
      last = run_udp_test(options, test, limits);
    } catch (const base::Error& error) {
      if (!best) throw;
      failed = error;
      break;
    }
    if (base::stop_asked()) break;
    const bool is_good = meets(*last);
    // Of an invalid run the limits say nothing.
    const udp::Verdict& verdict = last->verdict;
    const bool has_broken = verdict.is_valid && !verdict.broken_limits.empty();
    const std::vector<std::string>& why = has_broken ? verdict.broken_limits : verdict.sentences;
    if (!is_quiet) {
      report_progress(kUdpLoad, fmt::format("{}: {}", udp::counted(next, "caller"),
                                            is_good ? "good" : base::join(why, "; ")));
    }
    if (!last->has_receiver) break;
    (is_good ? good : bad) = next;
    if (is_good) best = last;
    const uint32_t middle = good + (bad - good) / 2;
    next = bad > most ? std::min(most, good * 2) : middle;
    if (bad <= most && bad - good <= std::max(1U, good / 20)) break;
  }
  if (!best && !last) return base::exit_interrupted;
  const std::string found =
      good == 0 ? "not even the smallest number of callers meets the limits"
                : fmt::format("{} {} the limits{}", udp::counted(good, "caller"),
                              good == 1 ? "meets" : "meet", beyond(good, bad, most));
  if (!is_quiet) report_notice(options.env(), kUdpLoad, found);
  write_output(options.env(), "max_callers", std::to_string(good));
  show_udp_report(options, best ? *best : *last);
  if (failed) throw base::Error(*failed);
  return udp_exit_code(best && last->has_receiver ? *best : *last);
}

int run(const Options& options, const UdpTest& test, const udp::Limits& limits) {
  if (options.toggle("find-max")) return find_max(options, test, limits);
  const udp::Report report = run_udp_test(options, test, limits);
  show_udp_report(options, report);
  return udp_exit_code(report);
}

}  // namespace

int run_udp_client(const Options& options) {
  const UdpTest test = read_udp_test(options);
  const udp::Limits limits = read_udp_limits(options);
  is_udp_json(options);
  base::stop_on_signals();
  return run(options, test, limits);
}

UdpTest read_udp_demo(const Options& options) {
  UdpTest test = read_udp_test(options);
  if (!options.is_given("clients")) test.load.clients = 100;
  const bool has_addresses =
      options.is_on("min-client-addr") || options.is_on("addresses") || options.is_on("cidr");
  if (!has_addresses) test.callers.first = "127.1.0.1";
  return test;
}

int run_udp_demo(const Options& options) {
  UdpTest test = read_udp_demo(options);
  const udp::Limits limits = read_udp_limits(options);
  is_udp_json(options);
  base::stop_on_signals();
  UdpServer server(demo_server());
  test.host = {.host = "127.0.0.1", .port = server.port()};
  return run(options, test, limits);
}

}  // namespace commands
