#include "udp/svg_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "udp/html.hpp"

namespace udp {

namespace {

constexpr double kHeight = 160;  // of the plot, in px
constexpr int kShare = 1000;     // units of a line's own coordinates, across and down

// The y axis: from the lowest tick to the highest.
struct Axis {
  std::vector<Tick> ticks;
  double bottom = 0, top = 1;
  // 0 at the top to 1 at the bottom, as SVG counts.
  double down(double value) const {
    return 1 - std::clamp((value - bottom) / (top - bottom), 0.0, 1.0);
  }
};

Axis axis_of(double bottom, double highest, bool is_whole) {
  Axis axis;
  axis.ticks = round_ticks(bottom, highest > bottom ? highest : bottom + 1, 4, is_whole);
  axis.bottom = bottom;
  axis.top = axis.ticks.back().at;
  return axis;
}

// Of a chart over time: with its mark in place of the ticks that it would touch.
Axis axis_of(const LineChart& chart, double highest) {
  const bool is_fixed = chart.top > chart.bottom;
  Axis axis = axis_of(chart.bottom, is_fixed ? chart.top : highest, chart.is_whole);
  if (is_fixed) axis.top = chart.top;
  std::erase_if(axis.ticks, [&](const Tick& tick) {
    const bool is_near = chart.mark && std::abs(axis.down(tick.at) - axis.down(*chart.mark)) < 0.09;
    return tick.at > axis.top || is_near;
  });
  if (chart.mark) axis.ticks.push_back({*chart.mark, fmt::format("{:.3g}", *chart.mark)});
  return axis;
}

// 1, 2 or 5 times a power of ten, at least `least`.
double round_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::string number(double value, double step) {
  if (step >= 100'000 && value > 0) return fmt::format("{:.6g} M", value / 1e6);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  if (decimals == 0 && value >= 0) return grouped(static_cast<uint64_t>(std::llround(value)));
  return fmt::format("{:.{}f}", value, decimals);
}

// Times in the unit that suits their span, at round steps of it.
struct TimeAxis {
  std::string name;
  std::vector<Tick> ticks;
};

TimeAxis time_axis(double span_s) {
  struct Unit {
    double seconds;
    const char* name;
    std::vector<double> steps;
  };
  const Unit units[] = {
      {1, "time, s", {1, 2, 5, 10, 20, 30, 60}},
      {60, "time, minutes", {1, 2, 5, 10, 15, 30, 60}},
      {3600, "time, hours", {1, 2, 3, 6, 12, 24, 48, 96}},
  };
  const Unit& unit = units[span_s <= 240 ? 0 : span_s <= 4 * 3600 ? 1 : 2];
  const double span = span_s / unit.seconds;
  double step = unit.steps.back();
  for (const double candidate : unit.steps) {
    if (span / candidate <= 6) {
      step = candidate;
      break;
    }
  }
  TimeAxis axis{.name = unit.name, .ticks = {}};
  for (int i = 0; i * step <= span * (1 + 1e-9); ++i) {
    axis.ticks.push_back({i * step / span, number(i * step, step)});
  }
  return axis;
}

struct Key {
  std::string name, colour;
};

// The caption, with a key when there is more than one series.
std::string opened(const ChartWords& words, const std::vector<Key>& keys) {
  std::string html = "<figure class=\"card\"><figcaption>";
  put(html, "<b>{}</b>", html_escaped(words.title));
  for (const Key& key : keys) {
    if (keys.size() > 1) {
      put(html, "<span class=\"key {}\">{}</span>", key.colour, html_escaped(key.name));
    }
  }
  put(html,
      "</figcaption>\n<div class=\"plot\"><svg height=\"{}\" role=\"img\" aria-label=\"{}\">\n",
      kHeight, html_escaped(words.title + ". " + words.shown));
  return html;
}

std::string closed(const ChartWords& words) {
  std::string html = "</svg></div>";
  if (!words.note.empty()) put(html, "<p class=\"note\">{}</p>", html_escaped(words.note));
  return html + "</figure>\n";
}

void put_axes(std::string& html, const Axis& y, const std::vector<Tick>& x_ticks,
              const std::string& x_name, const std::string& y_name) {
  for (const Tick& tick : y.ticks) {
    const double at = y.down(tick.at) * kHeight;
    put(html, R"(<line class="grid" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>)", at);
    put(html, "<text class=\"y\" x=\"-8\" y=\"{:.1f}\">{}</text>\n", at + 4, tick.text);
  }
  for (const Tick& tick : x_ticks) {
    put(html, R"(<line class="tick" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>)",
        tick.at * 100, kHeight, kHeight + 4);
    put(html, "<text class=\"x\" x=\"{:.2f}%\" y=\"{}\">{}</text>\n", tick.at * 100, kHeight + 17,
        tick.text);
  }
  put(html, R"(<text class="name" x="-8" y="-14">{}</text>)", html_escaped(y_name));
  put(html, "<text class=\"name end\" x=\"100%\" y=\"{}\">{}</text>\n", kHeight + 33,
      html_escaped(x_name));
}

// The line, and an area from it down to the axis; broken where values are missing. A point without
// neighbours becomes a line as long as its time.
void put_line(std::string& html, const Series& series, const Axis& y, bool has_area) {
  std::string line;
  std::string area;
  const std::vector<double>& values = series.values;
  const double width = kShare / static_cast<double>(values.size());
  const auto across = [&](double i) { return std::lround(i * width); };
  const auto has = [&](size_t i) { return i < values.size() && !std::isnan(values[i]); };
  for (size_t i = 0; i < values.size(); ++i) {
    if (!has(i)) continue;
    const auto at = static_cast<double>(i);
    const bool is_first = i == 0 || !has(i - 1);
    const bool is_last = !has(i + 1);
    const auto down = std::lround(y.down(values[i]) * kShare);
    const auto x = across(is_first && is_last ? at : at + 0.5);
    put(line, "{}{} {}", is_first ? "M" : "L", x, down);
    if (is_first) put(area, "M{} {}", x, kShare);
    put(area, "L{} {}", x, down);
    if (is_first && is_last) {
      put(line, "H{}", across(at + 1));
      put(area, "H{}", across(at + 1));
    }
    if (is_last) put(area, "V{}Z", kShare);
  }
  if (has_area) put(html, R"(<path class="area {}" d="{}"/>)", series.colour, area);
  put(html, "<path class=\"line {}\" d=\"{}\"/>\n", series.colour, line);
}

void put_bar(std::string& html, const Bar& bar, double bottom, double top, const Axis& y,
             const std::string& colour) {
  const double upper = y.down(top) * kHeight;
  // What is there is to be seen, however little it is.
  const double height = std::max(1.5, y.down(bottom) * kHeight - upper);
  put(html, "<rect class=\"{}\" x=\"{:.2f}%\" width=\"{:.2f}%\" y=\"{:.1f}\" height=\"{:.1f}\"/>\n",
      colour, bar.from * 100, (bar.to - bar.from) * 100, y.down(bottom) * kHeight - height, height);
}

}  // namespace

std::vector<Tick> round_ticks(double from, double to, int most, bool is_whole) {
  double step = round_step((to - from) / most);
  if (is_whole) step = std::max(step, 1.0);
  const auto first = static_cast<int64_t>(std::floor(from / step + 1e-9));
  const auto last = static_cast<int64_t>(std::ceil(to / step - 1e-9));
  std::vector<Tick> ticks;
  for (int64_t i = first; i <= last; ++i) {
    const double at = static_cast<double>(i) * step;
    ticks.push_back({at, number(at, step)});
  }
  return ticks;
}

std::string line_chart(const LineChart& chart) {
  double highest = chart.bottom;
  size_t points = 0;
  bool is_empty = true;
  std::vector<Key> keys;
  for (const Series& series : chart.series) {
    keys.push_back({series.name, series.colour});
    points = std::max(points, series.values.size());
    for (const double value : series.values) {
      if (std::isnan(value)) continue;
      highest = std::max(highest, value);
      is_empty = false;
    }
  }
  const Axis y = axis_of(chart, highest);
  const TimeAxis time = time_axis(std::max(1.0, static_cast<double>(points) * chart.point_s));
  std::string html = opened(chart.words, keys);
  put_axes(html, y, time.ticks, time.name, chart.words.y_name);
  if (is_empty) {
    put(html, "<text class=\"x\" x=\"50%\" y=\"{}\">no data</text>\n", kHeight / 2);
    return html + closed(chart.words);
  }
  if (chart.mark) {
    const double at = y.down(*chart.mark) * kHeight;
    put(html, "<line class=\"mark\" x2=\"100%\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>\n", at);
  }
  put(html, R"(<svg width="100%" height="{0}" viewBox="0 0 {1} {1}" preserveAspectRatio="none">)",
      kHeight, kShare);
  for (const Series& series : chart.series) {
    put_line(html, series, y, chart.series.size() == 1 && chart.bottom == 0);
  }
  html += "</svg>\n";
  return html + closed(chart.words);
}

std::string bar_chart(const BarChart& chart) {
  double highest = 0;
  std::vector<Key> keys;
  for (const BarSeries& series : chart.series) {
    keys.push_back({series.name, series.colour});
    for (const Bar& bar : series.bars) highest = std::max(highest, bar.value);
  }
  const Axis y = axis_of(0, highest, chart.is_whole);
  std::string html = opened(chart.words, keys);
  put_axes(html, y, chart.x_ticks, chart.words.x_name, chart.words.y_name);
  if (highest <= 0) put(html, "<text class=\"x\" x=\"50%\" y=\"{}\">no data</text>\n", kHeight / 2);
  for (const BarSeries& series : chart.series) {
    for (const Bar& bar : series.bars) {
      if (bar.bad > 0) put_bar(html, bar, 0, bar.bad, y, "bad");
      if (bar.value > bar.bad) put_bar(html, bar, bar.bad, bar.value, y, series.colour);
    }
  }
  return html + closed(chart.words);
}

}  // namespace udp
