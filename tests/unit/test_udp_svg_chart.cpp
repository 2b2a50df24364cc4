#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "udp/html.hpp"
#include "udp/svg_chart.hpp"

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string shown(const std::vector<udp::Tick>& ticks) {
  std::string text;
  for (const udp::Tick& tick : ticks) text += (text.empty() ? "" : " ") + tick.text;
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

udp::LineChart chart_of(std::vector<double> values) {
  return {.words = {"Loss", "words", "", "%", ""},
          .series = {{"loss", "first", std::move(values)}}};
}

}  // namespace

TEST_CASE("html_escaped leaves nothing that begins a tag, an entity or ends an attribute") {
  CHECK(udp::html_escaped("a<b>&\"'c") == "a&lt;b&gt;&amp;&quot;&#39;c");
  CHECK(udp::html_escaped("") == "");
}

TEST_CASE("numbers read well at every size") {
  CHECK(udp::grouped(0) == "0");
  CHECK(udp::grouped(999) == "999");
  CHECK(udp::grouped(1000) == "1,000");
  CHECK(udp::grouped(1234567) == "1,234,567");
  CHECK(udp::in_ms(0) == "0\u00a0ms");
  CHECK(udp::in_ms(12) == "0.012\u00a0ms");
  CHECK(udp::in_ms(3456) == "3.46\u00a0ms");
  CHECK(udp::in_ms(250'000) == "250\u00a0ms");
  CHECK(udp::in_percent(0) == "0\u00a0%");
  CHECK(udp::in_percent(0.000001) == "under 0.01\u00a0%");
  CHECK(udp::in_percent(0.012) == "1.20\u00a0%");
  CHECK(udp::in_time(60) == "60\u00a0s");
  CHECK(udp::in_time(1800) == "30\u00a0min");
  CHECK(udp::in_time(259'200) == "72\u00a0h");
}

TEST_CASE("ticks are few, round and hold all values") {
  struct {
    double from, to;
    bool is_whole;
    std::string ticks;
  } const rows[] = {
      {0, 1, false, "0.0 0.5 1.0"},
      {0, 4.2, false, "0 2 4 6"},
      {0, 0.0123, false, "0.000 0.005 0.010 0.015"},
      {0, 1, true, "0 1"},
      {0, 2, true, "0 1 2"},
      {0, 50'780, true, "0 20,000 40,000 60,000"},
      {0, 3'300'000, true, "0 1 M 2 M 3 M 4 M"},
      {1, 4.5, false, "1 2 3 4 5"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.to);
    CHECK(shown(udp::round_ticks(row.from, row.to, 4, row.is_whole)) == row.ticks);
  }
}

TEST_CASE("a line breaks where a second has no data, and a lone second is a line of its length") {
  CHECK(
      has(udp::line_chart(chart_of({0, 1, kNone, 1, 0})), "d=\"M100 1000L300 0M700 0L900 1000\""));
  CHECK(has(udp::line_chart(chart_of({1})), "d=\"M0 0H1000\""));
  CHECK(has(udp::line_chart(chart_of({1, kNone, 1, 1})), "d=\"M0 0H250M625 0L875 0\""));
}

TEST_CASE("a chart without data says so") {
  for (const std::vector<double>& values :
       {std::vector<double>{}, std::vector<double>{kNone, kNone}}) {
    const std::string html = udp::line_chart(chart_of(values));
    CHECK(has(html, ">no data<"));
    CHECK_FALSE(has(html, "nan"));
  }
  CHECK(has(udp::bar_chart({.words = {}, .x_ticks = {}, .series = {}}), ">no data<"));
}

TEST_CASE("time is in the unit that suits its span") {
  struct {
    size_t points;
    double point_s;
    std::string name, last;
  } const rows[] = {
      {1, 1, "time, s", ">1<"},          {10, 1, "time, s", ">10<"},
      {60, 1, "time, s", ">60<"},        {600, 1, "time, minutes", ">10<"},
      {600, 6, "time, minutes", ">60<"}, {600, 432, "time, hours", ">72<"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.points);
    udp::LineChart chart = chart_of(std::vector<double>(row.points, 1.0));
    chart.point_s = row.point_s;
    const std::string html = udp::line_chart(chart);
    CHECK(has(html, row.name));
    CHECK(has(html, "x=\"100.00%\" y=\"177\"" + row.last));
  }
}

TEST_CASE("a limit stands on the axis in place of the ticks it would touch") {
  udp::LineChart chart = chart_of({4.4, 4.4});
  chart.bottom = 1;
  chart.top = 4.5;
  chart.mark = 3.9;
  const std::string html = udp::line_chart(chart);
  CHECK(has(html, ">3.9</text>"));
  CHECK(has(html, ">3</text>"));
  CHECK_FALSE(has(html, ">4</text>"));
  CHECK_FALSE(has(html, ">5</text>"));
  CHECK(has(html, "class=\"mark\""));
}

TEST_CASE("a chart is named in words for those who can't see it") {
  udp::LineChart chart = chart_of({1});
  chart.words.shown = "From \"0\" to <1>";
  CHECK(has(udp::line_chart(chart),
            "role=\"img\" aria-label=\"Loss. From &quot;0&quot; to &lt;1&gt;\""));
}

TEST_CASE("the bad part of a bar is below the rest, and a small bar can be seen") {
  const std::string html =
      udp::bar_chart({.words = {},
                      .x_ticks = {},
                      .series = {{"callers", "good", {{0, 0.5, 100, 25}, {0.5, 1, 0.001, 0}}}}});
  CHECK(has(html, "class=\"bad\" x=\"0.00%\" width=\"50.00%\" y=\"120.0\" height=\"40.0\""));
  CHECK(has(html, "class=\"good\" x=\"0.00%\" width=\"50.00%\" y=\"0.0\" height=\"120.0\""));
  CHECK(has(html, "class=\"good\" x=\"50.00%\" width=\"50.00%\" y=\"158.5\" height=\"1.5\""));
}
