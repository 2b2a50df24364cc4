#include "udp/report_charts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "udp/html.hpp"
#include "udp/svg_chart.hpp"

namespace udp {

namespace {

constexpr int64_t kMostPoints = 600;
constexpr int kBins = 48;  // of a histogram
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// What several seconds come to.
struct Point {
  uint64_t sent = 0, received = 0, lost = 0;
  double jitter_us = 0, delay_us = 0, mos = 0;  // sums over packets
  int64_t delay_max_us = 0;
  double seconds = 0;  // with data
};

void add_second(Point& point, const TotalSecond& second) {
  const auto received = static_cast<double>(second.received);
  ++point.seconds;
  point.sent += second.sent;
  point.received += second.received;
  point.lost += second.lost;
  point.jitter_us += second.jitter_us * received;
  point.delay_us += second.delay_us * received;
  point.mos += second.mos * static_cast<double>(second.sent);
  point.delay_max_us = std::max(point.delay_max_us, second.delay_max_us);
}

double ratio(double part, uint64_t whole) {
  return whole == 0 ? kNone : part / static_cast<double>(whole);
}

double lowest(const std::vector<double>& values) {
  double found = kNone;
  for (const double value : values) found = std::fmin(found, value);
  return found;
}

double highest(const std::vector<double>& values) {
  double found = kNone;
  for (const double value : values) found = std::fmax(found, value);
  return found;
}

std::string from_to(const std::vector<double>& values, int decimals, const std::string& unit) {
  if (std::isnan(lowest(values))) return "No data.";
  return fmt::format("From {:.{}f} to {:.{}f}{}.", lowest(values), decimals, highest(values),
                     decimals, unit);
}

std::string time_charts(const Report& report) {
  const Timeline time = timeline(report);
  const double limit = report.totals.mos_limit;
  LineChart loss{.words = {"Packet loss", from_to(time.loss, 2, " %"), "", "% of packets", ""},
                 .series = {{"loss", "bad", time.loss}}};
  LineChart mos{.words = {"Call quality over time", from_to(time.mos, 2, ""), "",
                          fmt::format("MOS; dashed: the limit of {:.3g}", limit), ""},
                .bottom = 1,
                .top = 4.5,
                .mark = limit,
                .series = {{"MOS", "first", time.mos}}};
  LineChart jitter{
      .words = {"Jitter", from_to(time.jitter, 3, " ms"), "", "ms, mean of all callers", ""},
      .series = {{"jitter", "first", time.jitter}}};
  LineChart delay{.words = {"One-way delay",
                            "Mean: " + from_to(time.delay, 3, " ms") +
                                " Largest: " + from_to(time.delay_max, 3, " ms"),
                            "", "ms", ""},
                  .series = {{"Mean", "first", time.delay}, {"Largest", "second", time.delay_max}}};
  if (!report.is_bound_known) {
    delay.words.note = "The clocks were never compared: delays are unknown.";
  }
  LineChart rate{.words = {"Packets",
                           "Sent: " + from_to(time.sent, 0, " a second") +
                               " Received: " + from_to(time.received, 0, " a second"),
                           "", "packets a second", ""},
                 .is_whole = true,
                 .series = {{"Sent", "second", time.sent}, {"Received", "first", time.received}}};
  std::string html;
  if (!report.has_receiver) {
    rate.series.pop_back();
    rate.point_s = time.seconds;
    return line_chart(rate);
  }
  for (LineChart* chart : {&loss, &mos, &jitter, &delay, &rate}) {
    chart->point_s = time.seconds;
    html += line_chart(*chart);
  }
  return html;
}

std::string mos_chart(const Report& report) {
  constexpr double kLowest = 1;
  constexpr double kHighest = 4.5;
  constexpr double kWidth = 0.1;
  constexpr int kCount = 35;
  std::vector<Bar> bars(kCount);
  const double share = 1.0 / kCount;
  for (int i = 0; i < kCount; ++i) {
    bars[static_cast<size_t>(i)] = {(i + 0.06) * share, (i + 0.94) * share};
  }
  for (const Caller& caller : report.callers) {
    const int number = static_cast<int>(std::floor((caller.mos - kLowest) / kWidth + 1e-9));
    Bar& bar = bars[static_cast<size_t>(std::clamp(number, 0, kCount - 1))];
    ++bar.value;
    if (caller.mos < report.totals.mos_limit) ++bar.bad;
  }
  BarChart chart{.words = {"Callers by call quality",
                           fmt::format("{} of {} callers are below {:.3g}.",
                                       grouped(report.totals.callers_below),
                                       grouped(report.callers.size()), report.totals.mos_limit),
                           "MOS of a caller", "callers", ""},
                 .x_ticks = {},
                 .is_whole = true,
                 .series = {{"callers", "good", bars}}};
  for (const int tenths : {10, 15, 20, 25, 30, 35, 40, 45}) {
    const double at = (tenths / 10.0 - kLowest) / (kHighest - kLowest);
    chart.x_ticks.push_back({at, fmt::format("{:.3g}", tenths / 10.0)});
  }
  return bar_chart(chart);
}

// The x axis of histograms, in microseconds: by logarithm when the values span more than a decade.
struct Scale {
  double from = 0, to = 1;
  bool is_log = false;
  std::vector<Tick> ticks;  // `at` is a share
  double share(double us) const {
    const double value = std::clamp(us, from, to);
    return is_log ? std::log(value / from) / std::log(to / from) : (value - from) / (to - from);
  }
};

std::string ms_text(double us) {
  return fmt::format("{:.6g}", us / 1000);
}

Scale scale_of(const std::vector<const Histogram*>& histograms) {
  double from = std::numeric_limits<double>::max();
  double to = 1;
  for (const Histogram* histogram : histograms) {
    const auto buckets = histogram->buckets();
    if (buckets.empty()) continue;
    from = std::min(from, static_cast<double>(Histogram::lowest_us(buckets.front().first)));
    to = std::max(to, static_cast<double>(Histogram::lowest_us(buckets.back().first + 1)));
  }
  from = std::min(from, to - 1);
  Scale scale{.is_log = to > 20 && to > 10 * from, .ticks = {}};
  if (!scale.is_log) {
    const std::vector<Tick> ticks = round_ticks(from, to, 5, true);
    scale.from = ticks.front().at;
    scale.to = ticks.back().at;
    for (const Tick& tick : ticks) scale.ticks.push_back({scale.share(tick.at), ms_text(tick.at)});
    return scale;
  }
  scale.from = std::max(1.0, from);
  scale.to = to;
  const bool is_wide = scale.to / scale.from > 500;  // decades only, else 1, 2, 5
  double power = 1;
  while (power <= scale.to) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double at = factor * power;
      if (at < scale.from || at > scale.to || (is_wide && factor > 1)) continue;
      scale.ticks.push_back({scale.share(at), ms_text(at)});
    }
    power *= 10;
  }
  return scale;
}

// Shares of all values in percent, in bins of the same width on the axis. A bucket that several
// bins share is spread over them.
std::vector<Bar> bars_of(const Histogram& histogram, const Scale& scale) {
  std::vector<Bar> bars(kBins);
  for (size_t i = 0; i < kBins; ++i) {
    bars[i].from = (static_cast<double>(i) + 0.06) / kBins;
    bars[i].to = (static_cast<double>(i) + 0.94) / kBins;
  }
  for (const auto& [bucket, count] : histogram.buckets()) {
    const double from = scale.share(static_cast<double>(Histogram::lowest_us(bucket))) * kBins;
    const double to = scale.share(static_cast<double>(Histogram::lowest_us(bucket + 1))) * kBins;
    const double percent =
        100 * static_cast<double>(count) / static_cast<double>(histogram.count());
    const auto first = std::min<size_t>(kBins - 1, static_cast<size_t>(from));
    for (size_t i = first; i < kBins; ++i) {
      const double overlap =
          std::min(to, static_cast<double>(i + 1)) - std::max(from, static_cast<double>(i));
      if (i > first && overlap <= 0) break;
      bars[i].value += to - from < 1e-6 ? percent : percent * overlap / (to - from);
      if (to - from < 1e-6) break;
    }
  }
  return bars;
}

std::string spread(const Histogram& histogram) {
  const Times times = times_of(histogram);
  return fmt::format(
      "half within {}, 99 % within {}, largest {}", in_ms(static_cast<double>(times.p50_us)),
      in_ms(static_cast<double>(times.p99_us)), in_ms(static_cast<double>(times.max_us)));
}

struct Shown {
  std::string name, colour;
  const Histogram* histogram;
};

std::string histogram_chart(const std::string& title, const std::string& y_name,
                            const std::vector<Shown>& all) {
  std::vector<const Histogram*> histograms;
  histograms.reserve(all.size());
  for (const Shown& shown : all) histograms.push_back(shown.histogram);
  const Scale scale = scale_of(histograms);
  BarChart chart{.words = {title, "", scale.is_log ? "ms, logarithmic" : "ms", y_name, ""},
                 .x_ticks = scale.ticks,
                 .series = {}};
  for (const Shown& shown : all) {
    if (shown.histogram->count() == 0) continue;
    const std::string words = shown.name + ": " + spread(*shown.histogram) + ".";
    chart.words.note += (chart.words.note.empty() ? "" : " ") + words;
    chart.series.push_back({shown.name, shown.colour, bars_of(*shown.histogram, scale)});
  }
  if (chart.series.empty()) {
    chart.x_ticks.clear();
    chart.words.x_name.clear();
  }
  chart.words.shown = chart.words.note.empty() ? "No data." : chart.words.note;
  return bar_chart(chart);
}

}  // namespace

Timeline timeline(const Report& report) {
  int64_t count = 0;
  for (const TotalSecond& second : report.seconds) count = std::max(count, second.second + 1);
  const int64_t width = std::max<int64_t>(1, (count + kMostPoints - 1) / kMostPoints);
  std::vector<Point> points(static_cast<size_t>((count + width - 1) / width));
  for (const TotalSecond& second : report.seconds) {
    if (second.second < 0) continue;
    add_second(points[static_cast<size_t>(second.second / width)], second);
  }
  Timeline time;
  time.seconds = static_cast<double>(width);
  for (const Point& point : points) {
    const bool is_known = report.has_receiver;
    const uint64_t sent = is_known ? point.sent : 0;
    const uint64_t received = is_known ? point.received : 0;
    const bool is_there = point.seconds > 0;
    time.sent.push_back(is_there ? static_cast<double>(point.sent) / point.seconds : kNone);
    time.received.push_back(
        is_there && is_known ? static_cast<double>(point.received) / point.seconds : kNone);
    time.loss.push_back(100 * ratio(static_cast<double>(point.lost), sent));
    time.jitter.push_back(ratio(point.jitter_us / 1000, received));
    const uint64_t timed = report.is_bound_known ? received : 0;
    time.delay.push_back(ratio(point.delay_us / 1000, timed));
    time.delay_max.push_back(timed == 0 ? kNone : static_cast<double>(point.delay_max_us) / 1000);
    time.mos.push_back(ratio(point.mos, sent));
  }
  return time;
}

std::string charts_html(const Report& report) {
  std::vector<Shown> delays;
  if (report.is_bound_known) delays.push_back({"One-way", "first", &report.delay});
  if (report.rtt.count() > 0) delays.push_back({"Round trip", "second", &report.rtt});
  std::string html = time_charts(report);
  if (report.has_receiver) {
    html += mos_chart(report) + histogram_chart("Packets by delay", "% of packets", delays);
  }
  html += histogram_chart("How late packets were sent", "% of packets",
                          {{"Lateness", "first", &report.lateness}});
  return html;
}

}  // namespace udp
