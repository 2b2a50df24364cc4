#include "udp/control_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "udp/control_value.hpp"

namespace udp::control {

namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr size_t kMostAddress = 80;

// A figure of each row, by what stands for it in the row.
struct CountColumn {
  const char* name;
  uint64_t& (*of)(FlowResult&);
};
constexpr CountColumn kCounts[] = {
    {"received", [](FlowResult& flow) -> uint64_t& { return flow.counts.received; }},
    {"duplicated", [](FlowResult& flow) -> uint64_t& { return flow.counts.duplicated; }},
    {"reordered", [](FlowResult& flow) -> uint64_t& { return flow.counts.reordered; }},
    {"late", [](FlowResult& flow) -> uint64_t& { return flow.counts.late; }},
    {"expected", [](FlowResult& flow) -> uint64_t& { return flow.counts.expected; }},
    {"stale", [](FlowResult& flow) -> uint64_t& { return flow.counts.stale; }},
};

struct TimeColumn {
  const char* name;
  int64_t& (*of)(FlowResult&);
};
constexpr TimeColumn kTimes[] = {
    {"delay_p50_us", [](FlowResult& flow) -> int64_t& { return flow.delay.p50_us; }},
    {"delay_p95_us", [](FlowResult& flow) -> int64_t& { return flow.delay.p95_us; }},
    {"delay_p99_us", [](FlowResult& flow) -> int64_t& { return flow.delay.p99_us; }},
    {"delay_max_us", [](FlowResult& flow) -> int64_t& { return flow.delay.max_us; }},
};

struct MeanColumn {
  const char* name;
  double& (*of)(FlowResult&);
};
constexpr MeanColumn kMeans[] = {
    {"delay_mean_us", [](FlowResult& flow) -> double& { return flow.delay.mean_us; }},
    {"jitter_mean_us", [](FlowResult& flow) -> double& { return flow.jitter_mean_us; }},
    {"jitter_max_us", [](FlowResult& flow) -> double& { return flow.jitter_max_us; }},
};

// To a nanosecond: more digits say nothing and take half of the report.
double rounded(double value_us) {
  return std::round(value_us * 1000) / 1000;
}

// --- Out ---

Array column(std::vector<FlowResult>& flows, const auto& value_of) {
  Array values;
  values.reserve(flows.size());
  for (FlowResult& flow : flows) values.emplace_back(value_of(flow));
  return values;
}

Object seconds_out(const std::vector<SecondResult>& seconds) {
  Array received;
  Array late;
  Array delay_sum;
  Array delay_max;
  Array jitter_sum;
  for (const SecondResult& second : seconds) {
    received.emplace_back(second.received);
    late.emplace_back(second.late);
    delay_sum.emplace_back(second.delay_sum_us);
    delay_max.emplace_back(second.delay_max_us);
    jitter_sum.emplace_back(second.jitter_sum_us);
  }
  return {{"received", std::move(received)},
          {"late", std::move(late)},
          {"delay_sum_us", std::move(delay_sum)},
          {"delay_max_us", std::move(delay_max)},
          {"jitter_sum_us", std::move(jitter_sum)}};
}

Object histogram_out(const Histogram& histogram) {
  Array buckets;
  for (const auto& [bucket, count] : histogram.buckets()) {
    buckets.emplace_back(Array{uint64_t{bucket}, count});
  }
  return {{"sum_us", histogram.sum_us()},
          {"max_us", histogram.max_us()},
          {"buckets", std::move(buckets)}};
}

// --- In ---

const Array& column_in(const Value& object, const std::string& name, size_t rows) {
  const Array& values = array_in(object, name);
  if (values.size() != rows) {
    throw nonsense(fmt::format("'{}' has {} values, not {}", name, values.size(), rows));
  }
  return values;
}

std::vector<FlowResult> flows_in(const Value& report) {
  const size_t rows = array_in(report, "received").size();
  std::vector<FlowResult> flows(rows);
  for (const CountColumn& one : kCounts) {
    const Array& values = column_in(report, one.name, rows);
    for (size_t i = 0; i < rows; ++i) one.of(flows[i]) = count_of(values[i], one.name);
  }
  for (const TimeColumn& one : kTimes) {
    const Array& values = column_in(report, one.name, rows);
    for (size_t i = 0; i < rows; ++i) {
      one.of(flows[i]) = whole_of(values[i], one.name, 0, kMostTime);
    }
  }
  for (const MeanColumn& one : kMeans) {
    const Array& values = column_in(report, one.name, rows);
    for (size_t i = 0; i < rows; ++i)
      one.of(flows[i]) = number_of(values[i], one.name, 0, kMostSum);
  }
  const Array& seen_as = column_in(report, "seen_as", rows);
  for (size_t i = 0; i < rows; ++i) flows[i].seen_as = text_of(seen_as[i], "seen_as", kMostAddress);
  return flows;
}

std::vector<SecondResult> seconds_in(const Value& object) {
  const size_t rows = array_in(object, "received").size();
  const Array& received = column_in(object, "received", rows);
  const Array& late = column_in(object, "late", rows);
  const Array& delay_sum = column_in(object, "delay_sum_us", rows);
  const Array& delay_max = column_in(object, "delay_max_us", rows);
  const Array& jitter_sum = column_in(object, "jitter_sum_us", rows);
  std::vector<SecondResult> seconds;
  seconds.reserve(rows);
  for (size_t i = 0; i < rows; ++i) {
    seconds.push_back({.received = count_of(received[i], "received"),
                       .late = count_of(late[i], "late"),
                       .delay_sum_us = number_of(delay_sum[i], "delay_sum_us", 0, kMostSum),
                       .delay_max_us = whole_of(delay_max[i], "delay_max_us", 0, kMostTime),
                       .jitter_sum_us = number_of(jitter_sum[i], "jitter_sum_us", 0, kMostSum)});
  }
  return seconds;
}

Histogram histogram_in(const Value& object) {
  std::vector<std::pair<uint32_t, uint64_t>> buckets;
  for (const Value& value : array_in(object, "buckets")) {
    const Array* pair = json::as_array(&value);
    if (pair == nullptr || pair->size() != 2) throw nonsense("a bucket is no pair of numbers");
    buckets.emplace_back(static_cast<uint32_t>(whole_of((*pair)[0], "buckets", 0, UINT32_MAX)),
                         count_of((*pair)[1], "buckets"));
  }
  const double sum_us = number_in(object, "sum_us", 0, kMostSum);
  const int64_t max_us = whole_in(object, "max_us", 0, kMostTime);
  try {
    return Histogram::of(buckets, sum_us, max_us);
  } catch (const base::Error& error) {
    throw nonsense(error.what());
  }
}

}  // namespace

Value report_out(const FinalReport& report) {
  const Received& received = report.received;
  std::vector<FlowResult> flows = received.flows;
  Object out;
  for (const CountColumn& one : kCounts) out.push_back({one.name, column(flows, one.of)});
  for (const TimeColumn& one : kTimes) out.push_back({one.name, column(flows, one.of)});
  for (const MeanColumn& one : kMeans) {
    out.push_back({one.name, column(flows, [&](FlowResult& f) { return rounded(one.of(f)); })});
  }
  out.push_back({"seen_as", column(flows, [](FlowResult& flow) { return flow.seen_as; })});
  out.push_back({"echoes", numbers_out(report.echoes)});
  out.push_back({"seconds", seconds_out(received.seconds)});
  out.push_back({"delay", histogram_out(received.delay)});
  out.push_back({"queue_drops", received.queue_drops});
  out.push_back({"other", received.other});
  out.push_back({"malformed", received.malformed});
  out.push_back({"clock_steps", received.clock_steps});
  out.push_back({"bound_us", received.bound_us});
  out.push_back({"is_bound_known", received.is_bound_known});
  return out;
}

FinalReport report_in(const Value& value) {
  FinalReport report;
  report.received = {.flows = flows_in(value),
                     .seconds = seconds_in(member_in(value, "seconds")),
                     .delay = histogram_in(member_in(value, "delay")),
                     .queue_drops = count_in(value, "queue_drops"),
                     .other = count_in(value, "other"),
                     .malformed = count_in(value, "malformed"),
                     .clock_steps = count_in(value, "clock_steps"),
                     .bound_us = whole_in(value, "bound_us", 0, kMostTime),
                     .is_bound_known = json::bool_at(value, "is_bound_known")};
  report.echoes = counts_in(value, "echoes");
  if (report.echoes.size() != report.received.flows.size()) {
    throw nonsense("'echoes' has another number of values than 'received'");
  }
  return report;
}

}  // namespace udp::control
