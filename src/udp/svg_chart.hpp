// Charts as pieces of HTML: a figure with a caption and one inline SVG. No script, no outside
// resource. A chart is as wide as its place: positions across are shares of the width, so that type
// and lines keep their size on a phone. Colours come from the page's style (report_style.hpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace udp {

// A place on an axis and what stands there.
struct Tick {
  double at = 0;
  std::string text;
};
// At most about `most` of them at multiples of 1, 2 or 5 times a power of ten; the first is not
// above `from`, the last not below `to`. is_whole: no fractions.
std::vector<Tick> round_ticks(double from, double to, int most, bool is_whole);

// Words around a chart; all are escaped here.
struct ChartWords {
  std::string title;   // "Jitter"
  std::string shown;   // what it shows, for those who can't see it
  std::string x_name;  // "time, s"; line_chart() writes its own
  std::string y_name;  // "ms"
  std::string note;    // below; "": none
};

struct Series {
  std::string name;
  std::string colour;          // "first", "second"
  std::vector<double> values;  // one a point; NaN: no data, a gap in the line
};

// Lines over time: point i stands for the time from i * point_s on.
struct LineChart {
  ChartWords words;
  double point_s = 1;
  double bottom = 0;
  double top = 0;                             // 0: by the values
  std::optional<double> mark = std::nullopt;  // a dashed line across
  bool is_whole = false;                      // values are counts
  std::vector<Series> series;
};
std::string line_chart(const LineChart& chart);

// Places on the x axis are shares of its width, 0 to 1.
struct Bar {
  double from = 0, to = 0;
  double value = 0;
  double bad = 0;  // so much of the value is drawn in the colour of what is bad
};
struct BarSeries {
  std::string name;
  std::string colour;
  std::vector<Bar> bars;
};
struct BarChart {
  ChartWords words;
  std::vector<Tick> x_ticks;
  bool is_whole = false;
  std::vector<BarSeries> series;
};
std::string bar_chart(const BarChart& chart);

}  // namespace udp
