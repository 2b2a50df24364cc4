#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "udp/report.hpp"

namespace udp {

namespace {

// "the packet size (160 and 200 bytes)"; "" when they fit.
std::string difference(const Settings& one, const Settings& other) {
  if (one.codec.name != other.codec.name) {
    return fmt::format("the codec ({} and {})", one.codec.name, other.codec.name);
  }
  if (one.packet_size != other.packet_size) {
    return fmt::format("the packet size ({} and {} bytes)", one.packet_size, other.packet_size);
  }
  if (one.bps != other.bps) {
    return fmt::format("the rate ({} and {} bit/s)", one.bps, other.bps);
  }
  if (one.jitter_buffer_ms != other.jitter_buffer_ms) {
    return fmt::format("the jitter buffer ({} and {} ms)", one.jitter_buffer_ms,
                       other.jitter_buffer_ms);
  }
  return "";
}

// Weighted by how many there are of each.
double mean(double one, uint64_t of_one, double other, uint64_t of_other) {
  if (of_one + of_other == 0) return 0;
  const auto a = static_cast<double>(of_one);
  const auto b = static_cast<double>(of_other);
  return (one * a + other * b) / (a + b);
}

void add_second(TotalSecond& to, const TotalSecond& from) {
  to.mos = mean(to.mos, to.sent, from.mos, from.sent);
  to.delay_us = mean(to.delay_us, to.received, from.delay_us, from.received);
  to.jitter_us = mean(to.jitter_us, to.received, from.jitter_us, from.received);
  to.delay_max_us = std::max(to.delay_max_us, from.delay_max_us);
  to.sent += from.sent;
  to.received += from.received;
  to.lost += from.lost;
  to.late += from.late;
}

void add_seconds(std::vector<TotalSecond>& to, const std::vector<TotalSecond>& from) {
  for (const TotalSecond& second : from) {
    const auto place =
        std::lower_bound(to.begin(), to.end(), second.second,
                         [](const TotalSecond& a, int64_t number) { return a.second < number; });
    if (place != to.end() && place->second == second.second) {
      add_second(*place, second);
    } else {
      to.insert(place, second);
    }
  }
}

// What the reports say, each once, in their order.
void add_words(std::string& to, const std::string& words, std::set<std::string>& said,
               const char* separator) {
  if (words.empty() || !said.insert(words).second) return;
  if (!to.empty()) to += separator;
  to += words;
}

void add_report(Report& to, const Report& from) {
  const uint64_t before = to.callers.size();
  to.totals.rate_bps = mean(to.totals.rate_bps, before, from.totals.rate_bps, from.callers.size());
  to.slept = mean(to.slept, before, from.slept, from.callers.size());
  for (const Caller& caller : from.callers) {
    to.callers.push_back(caller);
    to.callers.back().client = static_cast<uint32_t>(to.callers.size() - 1);
  }
  if (before == 0 || from.started_unix_s < to.started_unix_s) {
    to.started_unix_s = from.started_unix_s;
  }
  to.settings.clients += from.settings.clients;
  to.settings.seconds = std::max(to.settings.seconds, from.settings.seconds);
  to.settings.echo = to.settings.echo || from.settings.echo;
  to.totals.planned += from.totals.planned;
  to.verdict.by_receiver += from.verdict.by_receiver;
  to.has_receiver = to.has_receiver && from.has_receiver;
  to.bound_us = std::max(to.bound_us, from.bound_us);
  to.is_bound_known = to.is_bound_known && from.is_bound_known;
  to.other += from.other;
  to.malformed += from.malformed;
  to.clock_steps += from.clock_steps;
  to.delay.add(from.delay);
  to.back_delay.add(from.back_delay);
  to.rtt.add(from.rtt);
  to.lateness.add(from.lateness);
  add_seconds(to.seconds, from.seconds);
}

// The server of a test counted the packets that its client reports too.
void check_kinds(const std::vector<Report>& reports, const std::vector<std::string>& names) {
  for (size_t i = 1; i < reports.size(); ++i) {
    const bool is_server = reports[i].kind == "server";
    if (is_server == (reports[0].kind == "server")) continue;
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} is a server's report and {} a client's: the same packets may "
                                  "be in both; merge those of the clients, or those of the servers",
                                  names[is_server ? i : 0], names[is_server ? 0 : i]));
  }
}

}  // namespace

Report merge_reports(const std::vector<Report>& reports, const std::vector<std::string>& names) {
  if (reports.empty()) throw base::Error(base::exit_bad_input, "there is no report to merge");
  check_kinds(reports, names);
  Report merged;
  merged.kind = "merged";
  merged.settings = reports.front().settings;
  merged.settings.clients = 0;
  merged.settings.seconds = 0;
  merged.settings.server = "";
  merged.is_bound_known = true;
  merged.totals.mos_limit = reports.front().totals.mos_limit;
  std::set<std::string> servers;
  std::set<std::string> ends;
  for (size_t i = 0; i < reports.size(); ++i) {
    const std::string different = difference(reports.front().settings, reports[i].settings);
    if (!different.empty()) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("{} and {} differ in {}; only runs with the same one add up",
                                    names[0], names[i], different));
    }
    add_report(merged, reports[i]);
    add_words(merged.settings.server, reports[i].settings.server, servers, ", ");
    add_words(merged.ended, reports[i].ended, ends, "; ");
  }
  const Settings& settings = merged.settings;
  if (settings.bps > 0 && merged.totals.rate_bps > 0) {
    merged.totals.rate_error = merged.totals.rate_bps / settings.bps - 1;
  }
  add_up(merged);
  return merged;
}

}  // namespace udp
