#include "udp/summary.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "udp/figures.hpp"

namespace udp {

namespace {

constexpr size_t kWorst = 10;
constexpr double kNoticeable = 0.1;  // of MOS below the mean

std::string subject(const Report& report) {
  std::string text = counted(report.callers.size(), "caller");
  if (report.settings.seconds > 0) text += ", " + seconds_text(report.settings.seconds);
  if (!report.ended.empty()) text += fmt::format(", ended early ({})", report.ended);
  return text;
}

std::string mos_words(const Report& report) {
  return fmt::format("MOS {} (lowest {})", mos_text(report.totals.mos_mean),
                     mos_text(report.totals.mos_min));
}

double worse_loss(const Report& report) {
  return std::max(report.totals.out.loss(), report.totals.back.loss());
}

// ", all of it in the network".
std::string where_lost(const Report& report) {
  const Verdict& verdict = report.verdict;
  const uint64_t lost = verdict.by_network + verdict.by_receiver;
  if (lost == 0) return "";
  if (verdict.by_receiver == 0) return ", all of it in the network";
  if (verdict.by_network == 0) return ", all of it in the receiver's own queue";
  return fmt::format(", {} of it in the receiver's own queue, the rest in the network",
                     percent(share_of(verdict.by_receiver, lost)));
}

std::string below_line(const Report& report) {
  const Totals& totals = report.totals;
  std::string text = fmt::format("{} of {} below MOS {}", grouped(totals.callers_below),
                                 counted(report.callers.size(), "caller"), totals.mos_limit);
  if (!report.ended.empty()) text += fmt::format(", ended early ({})", report.ended);
  text += fmt::format(": loss {}{}", percent(worse_loss(report)), where_lost(report));
  const double late = std::max(share_of(totals.out.late, totals.out.sent),
                               share_of(totals.back.late, totals.back.sent));
  if (late > 0) text += fmt::format(", {} too late for the jitter buffer", percent(late));
  return text + ", " + mos_words(report);
}

}  // namespace

std::string origin(const Report& report) {
  if (report.kind != "server") return "";
  std::string first;
  std::set<std::string> hosts;
  for (const Caller& caller : report.callers) {
    const std::string& place = caller.out.seen_as;  // with its port; "" when nothing came
    if (place.empty()) continue;
    const std::string host = place.substr(0, place.rfind(':'));
    if (hosts.empty()) first = host;
    hosts.insert(host);
  }
  std::string text = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC, heard from {}",
                                 fmt::gmtime(static_cast<std::time_t>(report.started_unix_s)),
                                 hosts.empty() ? "nobody" : first);
  if (hosts.size() > 1) {
    text += fmt::format(" and {} other {}", grouped(hosts.size() - 1),
                        hosts.size() == 2 ? "address" : "addresses");
  }
  return text;
}

std::string headline(const Report& report) {
  const Totals& totals = report.totals;
  if (!report.has_receiver) {
    return fmt::format("No report came from the server: only what was sent is known. {}: {} sent",
                       subject(report), counted(totals.out.sent, "packet"));
  }
  if (totals.out.sent == 0) return subject(report) + ": nothing was sent";
  if (totals.out.received == 0) {
    return fmt::format("{}: nobody was heard, not one of {} arrived", subject(report),
                       counted(totals.out.sent, "packet"));
  }
  if (!report.verdict.is_valid) {
    return fmt::format(
        "{}: the run is invalid, as this machine could not send as planned; loss {}, {} say little "
        "about the network",
        subject(report), percent(worse_loss(report)), mos_words(report));
  }
  if (totals.callers_below > 0) return below_line(report);
  const std::vector<std::string>& broken = report.verdict.broken_limits;
  if (!broken.empty()) {
    return fmt::format(
        "{}: {}{}; {}", subject(report), broken.front(),
        broken.size() > 1 ? fmt::format(", and {} broken", counted(broken.size() - 1, "more limit"))
                          : "",
        mos_words(report));
  }
  // The server does not know what came back.
  const bool is_two_way = report.settings.echo && report.kind != "server";
  return fmt::format("{}: all could {}: loss {}, {}", subject(report),
                     is_two_way ? "hear each other" : "be heard", percent(worse_loss(report)),
                     mos_words(report));
}

// --- Tables ---

namespace {

Row direction_row(const std::string& name, const Direction& direction) {
  return {name,
          grouped(direction.sent),
          grouped(direction.received),
          grouped(direction.lost),
          percent(direction.loss()),
          grouped(direction.duplicated),
          grouped(direction.reordered),
          grouped(direction.late)};
}

Row time_row(const std::string& name, const Histogram& histogram, const std::string& note) {
  Row row = {name};
  for (const double at : {50.0, 95.0, 99.0}) {
    row.push_back(ms_text(static_cast<double>(histogram.percentile_us(at))));
  }
  row.push_back(ms_text(static_cast<double>(histogram.max_us())));
  row.push_back(note);
  return row;
}

}  // namespace

std::vector<Row> direction_rows(const Report& report) {
  std::vector<Row> rows = {
      {"", "sent", "received", "lost", "loss", "duplicated", "reordered", "late"}};
  const Totals& totals = report.totals;
  if (report.has_receiver) {
    rows.push_back(direction_row("to the server", totals.out));
  } else {
    rows.push_back({"to the server", grouped(totals.out.sent), "?", "?", "?", "?", "?", "?"});
  }
  if (report.settings.echo && totals.back.sent > 0) {
    rows.push_back(direction_row("back", totals.back));
  }
  return rows;
}

std::vector<Row> time_rows(const Report& report) {
  std::vector<Row> rows = {{"", "p50", "p95", "p99", "max", ""}};
  const std::string bound = report.is_bound_known
                                ? "± " + ms_text(static_cast<double>(report.bound_us))
                                : "means nothing: the clocks were never compared";
  if (report.delay.count() > 0) rows.push_back(time_row("one-way delay", report.delay, bound));
  if (report.back_delay.count() > 0) {
    rows.push_back(time_row("one-way delay back", report.back_delay, bound));
  }
  if (report.jitter.count() > 0) {
    rows.push_back(time_row("jitter", report.jitter, "over callers, each one's mean"));
  }
  if (report.rtt.count() > 0) rows.push_back(time_row("round trip", report.rtt, ""));
  if (report.lateness.count() > 0) {
    rows.push_back(time_row("sender's lateness", report.lateness,
                            report.verdict.is_valid ? "the run is valid" : "the run is INVALID"));
  }
  return rows;
}

std::vector<Row> caller_rows(const std::vector<const Caller*>& callers, const Report& report) {
  const bool has_back = report.settings.echo;
  std::vector<Row> rows = {
      {"caller", "address", "sent", "lost", "loss", "late", "jitter", "delay p50", "MOS"}};
  if (has_back) rows[0].insert(rows[0].begin() + 5, "lost back");
  for (const Caller* caller : callers) {
    Row row = {
        std::to_string(caller->client),
        caller->address.empty() ? "-" : caller->address,
        grouped(caller->sent),
        grouped(caller->lost),
        percent(share_of(caller->lost, caller->sent)),
        grouped(caller->out.counts.late + caller->back.counts.late),
        ms_text(std::max(caller->out.jitter_mean_us, caller->back.jitter_mean_us)),
        ms_text(static_cast<double>(std::max(caller->out.delay.p50_us, caller->back.delay.p50_us))),
        caller->mos == 0 ? "-" : mos_text(caller->mos)};
    if (has_back) row.insert(row.begin() + 5, grouped(caller->back_lost));
    rows.push_back(row);
  }
  return rows;
}

std::vector<const Caller*> worst_callers(const Report& report) {
  std::vector<const Caller*> worst;
  for (const Caller& caller : report.callers) {
    const bool has_loss = caller.lost + caller.back_lost + caller.out.counts.late +
                              caller.back.counts.late + caller.send_errors >
                          0;
    const bool is_worse = caller.mos != 0 && caller.mos < report.totals.mos_mean - kNoticeable;
    if (has_loss || is_worse) worst.push_back(&caller);
  }
  std::stable_sort(worst.begin(), worst.end(), [](const Caller* a, const Caller* b) {
    if (a->mos != b->mos) return a->mos < b->mos;
    return a->lost + a->back_lost + a->send_errors > b->lost + b->back_lost + b->send_errors;
  });
  if (worst.size() > kWorst) worst.resize(kWorst);
  return worst;
}

std::string rate_text(const Report& report) {
  if (report.totals.rate_bps <= 0) return "";
  return fmt::format("{} bit/s a caller, {} off what was asked for",
                     grouped(static_cast<uint64_t>(std::llround(report.totals.rate_bps))),
                     percent(std::abs(report.totals.rate_error)));
}

}  // namespace udp
