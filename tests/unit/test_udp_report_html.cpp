#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "udp/report_charts.hpp"
#include "udp/report_text.hpp"

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

udp::TotalSecond second_of(int64_t number, uint64_t sent, uint64_t received) {
  return {.second = number,
          .sent = sent,
          .received = received,
          .lost = sent - received,
          .late = 0,
          .jitter_us = 100,
          .delay_us = 2000,
          .delay_max_us = 5000 + number,
          .mos = 4};
}

udp::Report report_of(uint32_t callers, int64_t seconds) {
  udp::Report report;
  report.is_bound_known = true;
  report.settings.server = "10.0.0.1:5001";
  report.settings.seconds = static_cast<double>(seconds);
  for (uint32_t i = 0; i < callers; ++i) {
    udp::Caller caller;
    caller.client = i;
    caller.address = "10.8.0." + std::to_string(i);
    caller.sent = 100;
    caller.out.counts.received = 100;
    caller.mos = 4.4;
    report.callers.push_back(caller);
    report.totals.out.sent += 100;
    report.totals.out.received += 100;
  }
  for (int64_t i = 0; i < seconds; ++i) report.seconds.push_back(second_of(i, 50, 49));
  report.totals.mos_mean = report.totals.mos_min = 4.4;
  report.delay.add(2000, 100);
  report.lateness.add(50, 100);
  return report;
}

}  // namespace

TEST_CASE("text from outside is escaped wherever it stands") {
  const std::string bad = "<script>alert(1)</script>";
  udp::Report report = report_of(1, 1);
  report.settings.server = report.settings.codec.name = bad;
  report.ended = bad;
  report.verdict.sentences = report.verdict.broken_limits = {bad};
  report.totals.send_errors = 1;
  report.callers[0].address = report.callers[0].send_error = report.callers[0].out.seen_as = bad;
  const std::string html = udp::report_html(report);
  CHECK_FALSE(has(html, "<script"));
  CHECK(has(html, "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>"));
}

TEST_CASE("the page needs nothing but itself") {
  const std::string html = udp::report_html(report_of(3, 10));
  CHECK(html.rfind("<!doctype html>", 0) == 0);
  for (const char* word : {"http:", "https:", "url(", "@import", "src=", "<link", "<script"}) {
    CAPTURE(word);
    CHECK_FALSE(has(html, word));
  }
  for (const char* word : {"<meta charset=\"utf-8\">", "name=\"viewport\"",
                           "prefers-color-scheme:dark", "@media print"}) {
    CAPTURE(word);
    CHECK(has(html, word));
  }
}

TEST_CASE("the headline says what matters most") {
  udp::Report report = report_of(2, 1);
  CHECK(has(udp::report_html(report), "All 2 callers are heard well: a MOS of 4.40 or better."));
  report.totals.callers_below = 1;
  CHECK(has(udp::report_html(report),
            "<span>Poor calls</span></span>1 of 2 callers below a MOS of 3.6."));
  report.ended = "interrupted";
  CHECK(has(udp::report_html(report), "<span>Ended early</span>"));
  report.totals.out.received = 0;
  CHECK(has(udp::report_html(report), "<span>Nothing arrived</span>"));
  report.verdict.broken_limits = {"loss is 2.00 %, over the limit of 1.00 %"};
  CHECK(has(udp::report_html(report), "<span>Limits broken</span>"));
  CHECK(has(udp::report_html(report), "Limit broken: loss is 2.00 %, over the limit of 1.00 %"));
  report.verdict.is_valid = false;
  CHECK(has(udp::report_html(report), "<span>Not valid</span>"));
  CHECK(has(udp::report_html(report), "Limit broken: "));
  report.has_receiver = false;
  CHECK(has(udp::report_html(report), "<span>No report</span>"));
}

TEST_CASE("without a report from the server nothing is said of what arrived") {
  udp::Report report = report_of(2, 5);
  report.has_receiver = report.is_bound_known = false;
  const std::string html = udp::report_html(report);
  for (const char* word : {"Packet loss", "MOS", "One-way delay", "The worst"}) {
    CAPTURE(word);
    CHECK_FALSE(has(html.substr(0, html.find("<footer>")), word));
  }
  CHECK(has(html, "Sender lateness, p99"));
}

TEST_CASE("delays of clocks that were never compared are not shown") {
  udp::Report report = report_of(1, 5);
  report.is_bound_known = false;
  report.rtt.add(7000, 10);
  const std::string html = udp::report_html(report);
  CHECK(has(html, "the clocks were never compared"));
  CHECK_FALSE(has(html, "2.00\u00a0ms"));
  CHECK(has(html, "Round trip, p50"));
  CHECK(std::isnan(udp::timeline(report).delay[0]));
}

TEST_CASE("the worst callers come first, by MOS and then by loss, and only ten") {
  udp::Report report = report_of(30, 1);
  report.callers[7].mos = 2;
  report.callers[9].mos = 2;
  report.callers[9].lost = 5;
  const std::string html = udp::report_html(report);
  CHECK(has(html, "The worst 10 callers"));
  CHECK(html.find("10.8.0.9<") < html.find("10.8.0.7<"));
  CHECK(html.find("10.8.0.7<") < html.find("10.8.0.0<"));
  CHECK_FALSE(has(html, "10.8.0.29<"));
}

TEST_CASE("a timeline has gaps where seconds are missing and nothing arrived") {
  udp::Report report = report_of(1, 0);
  report.seconds = {second_of(0, 50, 25), second_of(2, 50, 0)};
  const udp::Timeline time = udp::timeline(report);
  REQUIRE(time.loss.size() == 3);
  CHECK(time.loss[0] == 50);
  CHECK(std::isnan(time.loss[1]));
  CHECK(std::isnan(time.sent[1]));
  CHECK(time.loss[2] == 100);
  CHECK(std::isnan(time.jitter[2]));
  CHECK(std::isnan(time.delay_max[2]));
  CHECK(time.mos[2] == 4);
}

TEST_CASE("72 hours become at most 600 points that keep means and maxima") {
  const udp::Timeline time = udp::timeline(report_of(1, 259'200));
  CHECK(time.seconds == 432);
  REQUIRE(time.loss.size() == 600);
  CHECK(time.loss[0] == doctest::Approx(2));
  CHECK(time.sent[599] == 50);
  CHECK(time.jitter[0] == doctest::Approx(0.1));
  CHECK(time.delay_max[0] == doctest::Approx(5.431));
  CHECK(udp::timeline(report_of(1, 601)).sent.back() == 50);  // a point of one second, not of two
}

TEST_CASE("pages stay small and whole at both ends of what can be tested") {
  for (const udp::Report& report : {udp::Report(), report_of(1, 1), report_of(1000, 60),
                                    report_of(1, 259'200), report_of(65'000, 1)}) {
    const std::string html = udp::report_html(report);
    CHECK(html.size() < 200'000);
    CHECK(html.find("nan") == std::string::npos);
    CHECK(html.find("inf\"") == std::string::npos);
    CHECK(html.find("</html>") != std::string::npos);
  }
}
