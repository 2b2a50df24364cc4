#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/place.hpp"
#include "udp/report_text.hpp"

namespace udp {

namespace {

constexpr int64_t kFormat = 1;
constexpr double kMostUs = 9e18;              // what an int64_t holds
constexpr uint64_t kMostCount = 1ULL << 52U;  // sums of these stay exact
constexpr double kMostNumber = 1e18;          // and less than an int64_t holds
constexpr double kMostMos = 5;
constexpr uint64_t kMostSecond = 100'000'000;  // three years, of which a chart can be drawn

// Nothing for what is no count.
std::optional<uint64_t> count_of(const json::Value& value) {
  uint64_t count = kMostCount + 1;
  if (const auto* number = std::get_if<uint64_t>(&value.data)) count = *number;
  if (const auto* number = std::get_if<int64_t>(&value.data)) {
    if (*number >= 0) count = static_cast<uint64_t>(*number);
  }
  return count <= kMostCount ? std::optional(count) : std::nullopt;
}

// A member of an object, with the place that errors name. Members that are missing are 0.
struct Reader {
  const json::Value& value;
  json::Place place;

  Reader object(const char* name) const {
    const json::Value* member = json::find(value, name);
    if (json::as_object(member) == nullptr) throw place.at(name).error("this is no object");
    return {*member, place.at(name)};
  }
  bool has(const char* name) const { return !json::is_null(json::find(value, name)); }

  // "seconds", 3.
  Reader item(const char* list, const json::Array& items, size_t i) const {
    const json::Place at = place.at(list).at(std::to_string(i));
    if (json::as_object(&items[i]) == nullptr) throw at.error("this is no object");
    return {items[i], at};
  }
  const json::Array& list(const char* name) const {
    const json::Array* items = json::as_array(json::find(value, name));
    if (items == nullptr) throw place.at(name).error("this is no list");
    return *items;
  }

  uint64_t count(const char* name) const {
    const json::Value* member = json::find(value, name);
    if (json::is_null(member)) return 0;
    const std::optional<uint64_t> number = count_of(*member);
    if (!number) throw place.at(name).error("this is no count");
    return *number;
  }
  double number(const char* name) const {
    const json::Value* member = json::find(value, name);
    if (json::is_null(member)) return 0;
    double found = kMostNumber + kMostNumber;
    if (const auto* number = std::get_if<double>(&member->data)) found = *number;
    if (const auto* number = std::get_if<int64_t>(&member->data)) {
      found = static_cast<double>(*number);
    }
    if (const auto* number = std::get_if<uint64_t>(&member->data)) {
      found = static_cast<double>(*number);
    }
    if (std::abs(found) > kMostNumber) throw place.at(name).error("this is no number up to 1e18");
    return found;
  }
  double mos(const char* name) const {
    const double mos = number(name);
    if (mos < 0 || mos > kMostMos) throw place.at(name).error("this is no MOS, which is 1 to 5");
    return mos;
  }
  double us(const char* name) const {
    const double us = number(name) * 1000;
    if (us < 0 || us > kMostUs) throw place.at(name).error("this is no time in milliseconds");
    return us;
  }
  int64_t whole_us(const char* name) const { return std::llround(us(name)); }
  // Foreign words are going to be printed: one line, whatever they are.
  std::string text(const char* name) const {
    const json::Value* member = json::find(value, name);
    if (json::is_null(member)) return "";
    const std::string* words = json::as_string(member);
    if (words == nullptr) throw place.at(name).error("this is no text");
    return base::one_line(*words);
  }
};

int64_t read_started(const Reader& report) {
  const std::string text = report.text("started");
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  const bool is_read = text.size() == 20 && base::read_number(text.substr(0, 4), year) &&
                       base::read_number(text.substr(5, 2), month) &&
                       base::read_number(text.substr(8, 2), day) &&
                       base::read_number(text.substr(11, 2), hour) &&
                       base::read_number(text.substr(14, 2), minute) &&
                       base::read_number(text.substr(17, 2), second);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!is_read || !date.ok()) {
    throw report.place.at("started").error("this is no time like 2026-01-31T12:00:00Z");
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return int64_t{days.count()} * 86'400 + hour * 3600 + minute * 60 + second;
}

Codec read_codec(const Reader& settings) {
  try {
    return codec_named(settings.text("codec"));
  } catch (const base::Error& error) {
    throw settings.place.at("codec").error(error.what());
  }
}

Settings read_settings(const Reader& from) {
  const uint64_t clients = from.count("clients");
  if (clients > std::numeric_limits<uint32_t>::max()) {
    throw from.place.at("clients").error("these are too many");
  }
  return {.server = from.text("server"),
          .clients = static_cast<uint32_t>(clients),
          .bps = from.number("bps"),
          .packet_size = from.count("packet_size"),
          .interval_us = from.number("interval_us"),
          .seconds = from.number("seconds"),
          .echo = json::bool_at(from.value, "echo"),
          .codec = read_codec(from),
          .jitter_buffer_ms = from.number("jitter_buffer_ms"),
          .dscp = static_cast<int>(from.count("dscp") & 63U)};
}

Times read_times(const Reader& from) {
  return {.mean_us = from.us("mean"),
          .p50_us = from.whole_us("p50"),
          .p95_us = from.whole_us("p95"),
          .p99_us = from.whole_us("p99"),
          .max_us = from.whole_us("max")};
}

FlowResult read_flow(const Reader& from) {
  FlowResult flow;
  flow.counts = {.received = from.count("received"),
                 .duplicated = from.count("duplicated"),
                 .reordered = from.count("reordered"),
                 .late = from.count("late"),
                 .stale = from.count("stale")};
  if (from.has("delay_ms")) flow.delay = read_times(from.object("delay_ms"));
  if (from.has("jitter_ms")) {
    flow.jitter_mean_us = from.object("jitter_ms").us("mean");
    flow.jitter_max_us = from.object("jitter_ms").us("max");
  }
  flow.seen_as = from.text("seen_as");
  return flow;
}

Caller read_caller(const Reader& from) {
  Caller caller;
  caller.client = static_cast<uint32_t>(from.count("client"));
  caller.address = from.text("address");
  caller.sent = from.count("sent");
  caller.send_errors = from.count("send_errors");
  caller.send_error = from.text("send_error");
  caller.lost = from.count("lost");
  caller.out = read_flow(from);
  if (from.has("back")) {
    const Reader back = from.object("back");
    caller.has_back = true;
    caller.back = read_flow(back);
    caller.back_sent = back.count("sent");
    caller.back_lost = back.count("lost");
  }
  if (from.has("rtt_ms")) caller.rtt = read_times(from.object("rtt_ms"));
  caller.r = from.number("r");
  caller.mos = from.mos("mos");
  return caller;
}

TotalSecond read_second(const Reader& from) {
  const uint64_t second = from.count("second");
  if (second > kMostSecond) throw from.place.at("second").error("this is after more than 3 years");
  return {.second = static_cast<int64_t>(second),
          .sent = from.count("sent"),
          .received = from.count("received"),
          .lost = from.count("lost"),
          .late = from.count("late"),
          .jitter_us = from.us("jitter_ms"),
          .delay_us = from.us("delay_ms"),
          .delay_max_us = from.whole_us("delay_max_ms"),
          .mos = from.mos("mos")};
}

void read_totals(Report& report, const Reader& from) {
  Totals& totals = report.totals;
  if (!from.has("sent")) throw from.place.at("sent").error("this is missing");
  totals.planned = from.count("planned");
  totals.rate_bps = from.number("rate_bps");
  totals.rate_error = from.number("rate_error_percent") / 100;
  if (from.has("mos")) totals.mos_limit = from.object("mos").mos("limit");
  report.slept = from.number("slept_percent") / 100;
  report.other = from.count("other");
  report.malformed = from.count("malformed");
  report.clock_steps = from.count("clock_steps");
  if (!from.has("delay_ms")) return;
  const Reader delay = from.object("delay_ms");
  report.is_bound_known = delay.has("bound");
  report.bound_us = delay.whole_us("bound");
}

Histogram histogram_of(const Reader& from) {
  std::vector<std::pair<uint32_t, uint64_t>> buckets;
  const json::Array& list = from.list("buckets");
  for (size_t i = 0; i < list.size(); ++i) {
    const json::Place place = from.place.at("buckets").at(std::to_string(i));
    const json::Array* pair = json::as_array(&list[i]);
    if (pair == nullptr || pair->size() != 2) throw place.error("this is no pair");
    const std::optional<uint64_t> bucket = count_of((*pair)[0]);
    const std::optional<uint64_t> count = count_of((*pair)[1]);
    if (!bucket || !count || *bucket > std::numeric_limits<uint32_t>::max()) {
      throw place.error("this is no bucket with its count");
    }
    buckets.emplace_back(static_cast<uint32_t>(*bucket), *count);
  }
  try {
    return Histogram::of(buckets, from.number("sum_us"),
                         static_cast<int64_t>(from.count("max_us")));
  } catch (const base::Error& error) {
    throw from.place.at("buckets").error(error.what());
  }
}

}  // namespace

Histogram read_histogram(const json::Value& value, const std::string& name) {
  const json::Place place{name, ""};
  if (json::as_object(&value) == nullptr) throw place.error("this is no histogram");
  return histogram_of({value, place});
}

Report read_report(const json::Value& value, const std::string& name) {
  const Reader from{value, {name, ""}};
  if (json::string_at(value, "tool") != "opsbelt udp-load") {
    throw base::Error(base::exit_bad_input,
                      name + " is no report of udp-load; it is written by --output json");
  }
  if (from.number("format") != kFormat) {
    throw from.place.at("format").error("only format 1 is known; use the version that wrote it");
  }
  Report report;
  report.kind = from.text("kind");
  report.ended = from.text("ended");
  report.started_unix_s = read_started(from);
  report.has_receiver = json::bool_at(value, "has_receiver");
  report.settings = read_settings(from.object("settings"));
  read_totals(report, from.object("totals"));
  report.verdict.by_receiver = from.object("verdict").count("by_receiver");
  const Reader histograms = from.object("histograms");
  report.delay = histogram_of(histograms.object("delay"));
  report.back_delay = histogram_of(histograms.object("back_delay"));
  report.rtt = histogram_of(histograms.object("rtt"));
  report.lateness = histogram_of(histograms.object("lateness"));
  const json::Array& seconds = from.list("seconds");
  for (size_t i = 0; i < seconds.size(); ++i) {
    report.seconds.push_back(read_second(from.item("seconds", seconds, i)));
  }
  const json::Array& clients = from.list("clients");
  for (size_t i = 0; i < clients.size(); ++i) {
    report.callers.push_back(read_caller(from.item("clients", clients, i)));
  }
  add_up(report);
  return report;
}

}  // namespace udp
