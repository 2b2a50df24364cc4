#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.hpp"
#include "udp/figures.hpp"
#include "udp/report.hpp"

namespace udp {

namespace {

constexpr double kMissingPlan = 0.001;  // share of the plan that may stay unsent
constexpr size_t kNamed = 3;            // callers that a sentence names

std::string name_of(const Caller& caller) {
  return caller.address.empty() ? fmt::format("caller {}", caller.client) : caller.address;
}

// "10.8.0.2, 10.8.0.3, 10.8.0.4 and 9 more".
std::string names_of(const std::vector<const Caller*>& callers) {
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(kNamed, callers.size()); ++i) {
    names.push_back(name_of(*callers[i]));
  }
  std::string text = base::join(names, ", ");
  if (callers.size() > kNamed)
    text += fmt::format(" and {} more", grouped(callers.size() - kNamed));
  return text;
}

std::string of_callers(const std::vector<const Caller*>& callers, const Report& report) {
  return fmt::format("{} of {}", grouped(callers.size()), counted(report.callers.size(), "caller"));
}

// --- Whether the run can be believed ---

void judge_sender(Report& report, const Limits& limits) {
  Verdict& verdict = report.verdict;
  const Totals& totals = report.totals;
  const auto late_us = static_cast<double>(report.lateness.percentile_us(99));
  if (late_us > limits.late_ms * 1000) {
    verdict.is_valid = false;
    verdict.sentences.push_back(fmt::format(
        "The sender was late: 1 % of its packets left {} or more after their time (the limit is "
        "{}), so delay, jitter and loss are this machine's as much as the network's. Use fewer "
        "callers for each machine, several generators, and add their reports with merge.",
        ms_text(late_us), limit_text(limits.late_ms)));
  }
  if (totals.out.sent == 0) {
    verdict.is_valid = false;
    verdict.sentences.emplace_back("Nothing was sent, so nothing can be said of the network.");
    return;
  }
  const uint64_t tried = totals.out.sent + totals.send_errors;
  const uint64_t missing = totals.planned - std::min(totals.planned, tried);
  // Which ones and why, say_send_errors() says.
  if (share_of(totals.send_errors, totals.planned) > kMissingPlan) verdict.is_valid = false;
  if (report.ended.find("interrupted") != std::string::npos) return;
  if (share_of(missing, totals.planned) > kMissingPlan) {
    verdict.is_valid = false;
    verdict.sentences.push_back(fmt::format(
        "The sender could not send all: {} of {} planned packets ({}) never left. Use fewer "
        "callers for each machine, several generators, and add their reports with merge.",
        grouped(missing), grouped(totals.planned), percent(share_of(missing, totals.planned))));
  }
}

// --- Where packets were lost ---

void say_send_errors(Report& report) {
  std::map<std::string, std::vector<const Caller*>> by_error;
  std::map<std::string, uint64_t> packets;
  for (const Caller& caller : report.callers) {
    if (caller.send_errors == 0) continue;
    by_error[caller.send_error].push_back(&caller);
    packets[caller.send_error] += caller.send_errors;
  }
  for (const auto& [error, callers] : by_error) {
    report.verdict.sentences.push_back(
        fmt::format("{} of {} never left this machine: {} ({}).", counted(packets[error], "packet"),
                    counted(callers.size(), "caller"),
                    error.empty() ? "the kernel refused them" : error, names_of(callers)));
  }
}

void say_unheard(Report& report) {
  std::vector<const Caller*> unheard;
  std::vector<const Caller*> unanswered;
  for (const Caller& caller : report.callers) {
    if (caller.sent == 0) continue;
    if (caller.out.counts.received == 0) {
      unheard.push_back(&caller);
    } else if (caller.has_back && caller.back_sent > 0 && caller.back.counts.received == 0) {
      unanswered.push_back(&caller);
    }
  }
  if (!unheard.empty()) {
    report.verdict.sentences.push_back(
        fmt::format("No packet of {} arrived ({}): look at their route, tunnel and firewall.",
                    of_callers(unheard, report), names_of(unheard)));
  }
  if (!unanswered.empty()) {
    report.verdict.sentences.push_back(fmt::format(
        "{} got no packet back ({}): look at the server's route to them, and at NAT on the way.",
        of_callers(unanswered, report), names_of(unanswered)));
  }
}

void say_queue(Report& report, uint64_t at_server, uint64_t at_client) {
  if (at_server > 0) {
    report.verdict.sentences.push_back(
        fmt::format("{} lost in the server's own queue, not in the network: raise "
                    "net.core.rmem_max there, give "
                    "--receive-buffer to the server, or use a faster machine.",
                    counted(at_server, "packet")));
  }
  if (at_client > 0) {
    report.verdict.sentences.push_back(fmt::format(
        "{} lost in this machine's own queue on the way back, not in the network: raise "
        "net.core.rmem_max here, or use fewer callers for each machine.",
        counted(at_client, "packet")));
  }
}

void say_network(Report& report) {
  const Totals& totals = report.totals;
  std::string where;
  if (!report.has_receiver) {
    where = ", there or back";
  } else if (totals.out.lost == 0) {
    where = ", all on the way back";
  } else if (totals.back.lost > 0) {
    where = fmt::format("; of all that was lost, {} on the way there and {} on the way back",
                        grouped(totals.out.lost), grouped(totals.back.lost));
  }
  report.verdict.sentences.push_back(fmt::format(
      "{} lost in the network{}.", counted(report.verdict.by_network, "packet"), where));
}

void judge_loss(Report& report, const Received* out, const Received* back) {
  const Totals& totals = report.totals;
  Verdict& verdict = report.verdict;
  verdict.by_sender = totals.send_errors;
  const uint64_t lost = totals.out.lost + totals.back.lost;
  uint64_t at_server = out == nullptr ? 0 : std::min(totals.out.lost, out->queue_drops);
  const uint64_t at_client = back == nullptr ? 0 : std::min(totals.back.lost, back->queue_drops);
  if (out == nullptr && back == nullptr) at_server = std::min(lost, verdict.by_receiver);
  verdict.by_receiver = at_server + at_client;
  verdict.by_network = lost - verdict.by_receiver;

  say_send_errors(report);
  say_queue(report, at_server, at_client);
  if (verdict.by_network > 0) say_network(report);
  if (report.has_receiver) say_unheard(report);
  const uint64_t late = totals.out.late + totals.back.late;
  if (late > 0) {
    verdict.sentences.push_back(fmt::format(
        "{} came too late for the jitter buffer of {}; a longer one (--jitter-buffer) loses fewer, "
        "at the price of delay.",
        counted(late, "packet"), limit_text(report.settings.jitter_buffer_ms)));
  }
}

void say_remarks(Report& report) {
  std::vector<std::string>& sentences = report.verdict.sentences;
  if (report.has_receiver && !report.is_bound_known) {
    sentences.emplace_back(
        "The two clocks were never compared, so one-way delays mean nothing, and MOS counts only "
        "packetisation and jitter buffer as delay.");
  }
  if (report.clock_steps > 0) {
    sentences.push_back(fmt::format(
        "The receiver's wall clock was set {} during the test; arrival times around that are "
        "about a millisecond less exact.",
        counted(report.clock_steps, "time")));
  }
  if (report.other > 0) {
    sentences.push_back(fmt::format("{} of no session came to the server's port too.",
                                    counted(report.other, "packet")));
  }
  if (report.malformed > 0) {
    sentences.push_back(fmt::format("{} foreign to this tool came to the server's port too.",
                                    counted(report.malformed, "packet")));
  }
}

// --- Limits ---

double worse_jitter_us(const Caller& caller) {
  return std::max(caller.out.jitter_mean_us, caller.back.jitter_mean_us);
}

void limit_jitter(Report& report, double limit_ms) {
  std::vector<const Caller*> over;
  double worst_us = 0;
  for (const Caller& caller : report.callers) {
    if (worse_jitter_us(caller) <= limit_ms * 1000) continue;
    over.push_back(&caller);
    worst_us = std::max(worst_us, worse_jitter_us(caller));
  }
  if (over.empty()) return;
  report.verdict.broken_limits.push_back(
      fmt::format("jitter is over the limit of {} for {} (highest {}; {})", limit_text(limit_ms),
                  of_callers(over, report), ms_text(worst_us), names_of(over)));
}

void limit_delay(Report& report, double limit_ms) {
  const auto p99_us = static_cast<double>(
      std::max(report.delay.percentile_us(99), report.back_delay.percentile_us(99)));
  if (!report.is_bound_known) {
    report.verdict.broken_limits.push_back(
        fmt::format("delay p99 can't be compared with the limit of {}: the clocks of client and "
                    "server were never compared",
                    limit_text(limit_ms)));
  } else if (p99_us > limit_ms * 1000) {
    report.verdict.broken_limits.push_back(fmt::format("delay p99 is {}, over the limit of {}",
                                                       ms_text(p99_us), limit_text(limit_ms)));
  }
}

void limit_mos(Report& report, double limit) {
  std::vector<const Caller*> below;
  for (const Caller& caller : report.callers) {
    if (caller.mos != 0 && caller.mos < limit) below.push_back(&caller);
  }
  if (below.empty()) return;
  report.verdict.broken_limits.push_back(
      fmt::format("MOS is below the limit of {} for {} (lowest {}; {})", limit,
                  of_callers(below, report), mos_text(report.totals.mos_min), names_of(below)));
}

void judge_limits(Report& report, const Limits& limits) {
  const double loss = std::max(report.totals.out.loss(), report.totals.back.loss());
  if (limits.loss >= 0 && loss > limits.loss) {
    report.verdict.broken_limits.push_back(
        fmt::format("loss is {}, over the limit of {}", percent(loss), percent(limits.loss)));
  }
  if (limits.jitter_ms >= 0) limit_jitter(report, limits.jitter_ms);
  if (limits.delay_p99_ms >= 0) limit_delay(report, limits.delay_p99_ms);
  if (limits.mos >= 0) limit_mos(report, limits.mos);
}

void break_all_limits(Report& report, const Limits& limits, const std::string& why) {
  const std::pair<const char*, double> all[] = {{"loss", limits.loss},
                                                {"jitter", limits.jitter_ms},
                                                {"delay p99", limits.delay_p99_ms},
                                                {"MOS", limits.mos}};
  for (const auto& [name, limit] : all) {
    if (limit < 0) continue;
    report.verdict.broken_limits.push_back(
        fmt::format("{}: {}, so nothing can be said", name, why));
  }
}

}  // namespace

void judge(Report& report, const Limits& limits, const Received* out, const Received* back) {
  const uint64_t by_receiver = report.verdict.by_receiver;
  report.verdict = {};
  report.verdict.by_receiver = by_receiver;
  if (limits.mos >= 0 && limits.mos != report.totals.mos_limit) {
    report.totals.mos_limit = limits.mos;
    add_up(report);
  }
  judge_sender(report, limits);
  judge_loss(report, out, back);
  say_remarks(report);
  if (!report.has_receiver) {
    break_all_limits(report, limits, "no report came from the server");
  } else if (report.totals.out.sent == 0) {
    break_all_limits(report, limits, "nothing was sent");
  } else {
    judge_limits(report, limits);
  }
}

}  // namespace udp
