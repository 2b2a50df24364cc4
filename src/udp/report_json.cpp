#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>

#include "udp/report_text.hpp"

namespace udp {

namespace {

constexpr int kFormat = 1;

// Milliseconds with all digits down to a nanosecond, and no more.
double ms(double us) {
  return std::round(us * 1000) / 1e6;
}

double ms(int64_t us) {
  return static_cast<double>(us) / 1000;
}

json::Value times_json(const Times& times) {
  return json::Object{{"mean", ms(times.mean_us)},
                      {"p50", ms(times.p50_us)},
                      {"p95", ms(times.p95_us)},
                      {"p99", ms(times.p99_us)},
                      {"max", ms(times.max_us)}};
}

json::Object counts_json(const FlowCounts& counts, uint64_t sent, uint64_t lost) {
  return {{"sent", sent},
          {"received", counts.received},
          {"lost", lost},
          {"duplicated", counts.duplicated},
          {"reordered", counts.reordered},
          {"late", counts.late},
          {"stale", counts.stale}};
}

void add_flow(json::Object& object, const FlowResult& flow) {
  object.push_back({"delay_ms", times_json(flow.delay)});
  object.push_back({"jitter_ms", json::Object{{"mean", ms(flow.jitter_mean_us)},
                                              {"max", ms(flow.jitter_max_us)}}});
  object.push_back({"seen_as", flow.seen_as});
}

json::Value caller_json(const Caller& caller, bool has_receiver) {
  json::Object object = {{"client", uint64_t{caller.client}}, {"address", caller.address}};
  if (has_receiver) {
    for (json::Member& member : counts_json(caller.out.counts, caller.sent, caller.lost)) {
      object.push_back(std::move(member));
    }
  } else {
    object.push_back({"sent", caller.sent});
  }
  object.push_back({"send_errors", caller.send_errors});
  if (!caller.send_error.empty()) object.push_back({"send_error", caller.send_error});
  if (has_receiver) add_flow(object, caller.out);
  if (caller.has_back) {
    json::Object back = counts_json(caller.back.counts, caller.back_sent, caller.back_lost);
    add_flow(back, caller.back);
    object.push_back({"back", std::move(back)});
    object.push_back({"rtt_ms", times_json(caller.rtt)});
  }
  if (caller.mos != 0) {
    object.push_back({"r", caller.r});
    object.push_back({"mos", caller.mos});
  }
  return object;
}

json::Value settings_json(const Settings& settings) {
  return json::Object{{"server", settings.server},
                      {"clients", uint64_t{settings.clients}},
                      {"bps", settings.bps},
                      {"packet_size", uint64_t{settings.packet_size}},
                      {"interval_us", settings.interval_us},
                      {"seconds", settings.seconds},
                      {"echo", settings.echo},
                      {"codec", settings.codec.name},
                      {"jitter_buffer_ms", settings.jitter_buffer_ms},
                      {"dscp", settings.dscp}};
}

json::Object direction_json(const Direction& direction) {
  return {{"sent", direction.sent},
          {"received", direction.received},
          {"lost", direction.lost},
          {"duplicated", direction.duplicated},
          {"reordered", direction.reordered},
          {"late", direction.late},
          {"loss_percent", direction.loss() * 100}};
}

json::Value delay_json(const Report& report, const Histogram& delay) {
  json::Value value = times_json(times_of(delay));
  std::get<json::Object>(value.data)
      .push_back({"bound", report.is_bound_known ? json::Value(ms(report.bound_us)) : nullptr});
  return value;
}

// What was received is not there at all when nobody knows it: 0 lost would read as good news.
json::Value totals_json(const Report& report) {
  const Totals& totals = report.totals;
  json::Object object;
  if (report.has_receiver) {
    object = direction_json(totals.out);
  } else {
    object.push_back({"sent", totals.out.sent});
  }
  const bool knows_sender = totals.planned > 0;  // a server does not
  if (knows_sender) object.push_back({"planned", totals.planned});
  object.push_back({"send_errors", totals.send_errors});
  if (report.has_receiver) {
    object.push_back({"delay_ms", delay_json(report, report.delay)});
    object.push_back({"jitter_ms", times_json(times_of(report.jitter))});
  }
  if (knows_sender) object.push_back({"lateness_ms", times_json(times_of(report.lateness))});
  if (totals.mos_mean != 0) {
    object.push_back({"mos", json::Object{{"mean", totals.mos_mean},
                                          {"min", totals.mos_min},
                                          {"below", totals.callers_below},
                                          {"limit", totals.mos_limit}}});
  }
  if (knows_sender) {
    object.push_back({"rate_bps", totals.rate_bps});
    object.push_back({"rate_error_percent", totals.rate_error * 100});
    object.push_back({"slept_percent", report.slept * 100});
  }
  if (totals.back.sent > 0) {
    json::Object back = direction_json(totals.back);
    back.push_back({"delay_ms", delay_json(report, report.back_delay)});
    object.push_back({"back", std::move(back)});
    object.push_back({"rtt_ms", times_json(times_of(report.rtt))});
  }
  object.push_back({"other", report.other});
  object.push_back({"malformed", report.malformed});
  object.push_back({"clock_steps", report.clock_steps});
  return object;
}

json::Value texts_json(const std::vector<std::string>& texts) {
  return json::Array(texts.begin(), texts.end());
}

json::Value verdict_json(const Verdict& verdict) {
  return json::Object{{"valid", verdict.is_valid},
                      {"by_sender", verdict.by_sender},
                      {"by_receiver", verdict.by_receiver},
                      {"by_network", verdict.by_network},
                      {"sentences", texts_json(verdict.sentences)},
                      {"broken_limits", texts_json(verdict.broken_limits)}};
}

json::Value second_json(const TotalSecond& second, bool has_receiver) {
  if (!has_receiver) return json::Object{{"second", second.second}, {"sent", second.sent}};
  return json::Object{{"second", second.second},
                      {"sent", second.sent},
                      {"received", second.received},
                      {"lost", second.lost},
                      {"late", second.late},
                      {"jitter_ms", ms(second.jitter_us)},
                      {"delay_ms", ms(second.delay_us)},
                      {"delay_max_ms", ms(second.delay_max_us)},
                      {"mos", second.mos}};
}

}  // namespace

json::Value histogram_json(const Histogram& histogram) {
  json::Array buckets;
  for (const auto& [number, count] : histogram.buckets()) {
    buckets.push_back(json::Array{uint64_t{number}, count});
  }
  return json::Object{{"sum_us", histogram.sum_us()},
                      {"max_us", histogram.max_us()},
                      {"buckets", std::move(buckets)}};
}

json::Value report_json(const Report& report) {
  json::Array seconds;
  json::Array clients;
  for (const TotalSecond& second : report.seconds) {
    seconds.push_back(second_json(second, report.has_receiver));
  }
  for (const Caller& caller : report.callers) {
    clients.push_back(caller_json(caller, report.has_receiver));
  }
  const std::string started = fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(report.started_unix_s)));
  json::Object object = {{"tool", "opsbelt udp-load"},
                         {"format", kFormat},
                         {"kind", report.kind},
                         {"started", started}};
  if (!report.ended.empty()) object.push_back({"ended", report.ended});
  object.push_back({"has_receiver", report.has_receiver});
  object.push_back({"settings", settings_json(report.settings)});
  object.push_back({"totals", totals_json(report)});
  object.push_back({"verdict", verdict_json(report.verdict)});
  object.push_back({"seconds", std::move(seconds)});
  object.push_back({"histograms", json::Object{{"delay", histogram_json(report.delay)},
                                               {"back_delay", histogram_json(report.back_delay)},
                                               {"rtt", histogram_json(report.rtt)},
                                               {"lateness", histogram_json(report.lateness)}}});
  object.push_back({"clients", std::move(clients)});
  return object;
}

}  // namespace udp
