#include "udp/report_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "base/text.hpp"
#include "udp_report_stage.hpp"

using namespace udp_report;

namespace {

std::string first_line(const udp::Report& report) {
  const std::string text = report_text(report, false);
  return text.substr(0, text.find('\n'));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the first line is the answer") {
  struct Case {
    const char* name;
    std::vector<uint64_t> received;
    std::function<void(udp::Report&)> change;
    const char* line;
  };
  const std::vector<Case> cases = {
      {"all well",
       {100, 100},
       [](udp::Report&) {},
       "2 callers, 10 s: all could be heard: loss 0.00 %, MOS 4.41 (lowest 4.41)."},
      {"all well, both ways",
       {100, 100},
       [](udp::Report& r) { r.settings.echo = true; },
       "2 callers, 10 s: all could hear each other: loss 0.00 %, MOS 4.41 (lowest 4.41)."},
      {"some badly",
       {100, 90, 100},
       [](udp::Report&) {},
       "1 of 3 callers below MOS 3.6: loss 3.33 %, all of it in the network, MOS 3.43 "
       "(lowest 1.48)."},
      {"the receiver's fault",
       {100, 90, 100},
       [](udp::Report& r) {
         r.verdict.by_receiver = 10;
         r.verdict.by_network = 0;
       },
       "1 of 3 callers below MOS 3.6: loss 3.33 %, all of it in the receiver's own queue, "
       "MOS 3.43 (lowest 1.48)."},
      {"nobody",
       {0, 0},
       [](udp::Report&) {},
       "2 callers, 10 s: nobody was heard, not one of 200 packets arrived."},
      {"a limit",
       {100, 100},
       [](udp::Report& r) {
         r.verdict.broken_limits = {"delay p99 is 20.0 ms, over the limit of 10.0 ms", "x"};
       },
       "2 callers, 10 s: delay p99 is 20.0 ms, over the limit of 10.0 ms, and 1 more limit broken; "
       "MOS 4.41 (lowest 4.41)."},
      {"invalid",
       {100, 100},
       [](udp::Report& r) { r.verdict.is_valid = false; },
       "2 callers, 10 s: the run is invalid, as this machine could not send as planned; loss 0.00 "
       "%, MOS 4.41 (lowest 4.41) say little about the network."},
      {"no report",
       {100, 100},
       [](udp::Report& r) { r.has_receiver = false; },
       "No report came from the server: only what was sent is known. 2 callers, 10 s: 200 packets "
       "sent."},
      {"early",
       {100},
       [](udp::Report& r) { r.ended = "interrupted"; },
       "1 caller, 10 s, ended early (interrupted): all could be heard: loss 0.00 %, MOS 4.41 "
       "(lowest 4.41)."},
      {"a server does not know what came back",
       {100},
       [](udp::Report& r) {
         r.settings.echo = true;
         r.kind = "server";
       },
       "1 caller, 10 s: all could be heard: loss 0.00 %, MOS 4.41 (lowest 4.41)."},
      {"no callers", {}, [](udp::Report&) {}, "0 callers, 10 s: nothing was sent."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    udp::Report report = udp_report::report(c.received);
    c.change(report);
    CHECK(first_line(report) == c.line);
  }
}

TEST_CASE("tables are aligned, with units and separators") {
  std::vector<uint64_t> all(20, 100);
  const std::string text = report_text(udp_report::report(all), false);
  CHECK(text ==
        "20 callers, 10 s: all could be heard: loss 0.00 %, MOS 4.41 (lowest 4.41).\n"
        "\n"
        "                sent  received  lost    loss  duplicated  reordered  late\n"
        "to the server  2,000     2,000     0  0.00 %           0          0     0\n"
        "\n"
        "                       p50      p95      p99      max\n"
        "one-way delay      20.0 ms  20.0 ms  20.0 ms  20.0 ms  ± 0.30 ms\n"
        "jitter             1.50 ms  1.50 ms  1.50 ms  1.50 ms  over callers, each one's mean\n"
        "sender's lateness  0.04 ms  0.04 ms  0.04 ms  0.04 ms  the run is valid\n"
        "\n"
        "rate sent: 12,800 bit/s a caller, 0.00 % off what was asked for\n");
}

TEST_CASE("the worst callers are named only when they are worse") {
  CHECK_FALSE(has(report_text(udp_report::report({100, 100}), false), "worst"));
  std::vector<uint64_t> received(30, 100);
  for (size_t i = 0; i < 12; ++i) received[i] = 99 - i;
  const std::string text = report_text(udp_report::report(received), false);
  REQUIRE(has(text, "worst callers:\n"));
  CHECK(has(text, "10.8.0.13 "));
  CHECK(has(text, "10.8.0.4 "));
  CHECK_FALSE(has(text, "10.8.0.3 "));  // the eleventh
  CHECK(text.find("10.8.0.13 ") < text.find("10.8.0.4 "));
}

TEST_CASE("a server's report says when it was and whom it heard") {
  udp::Report report = udp_report::report({100, 100, 100});
  report.kind = "server";
  report.started_unix_s = 1'769'860'800;
  for (udp::Caller& caller : report.callers) caller.out.seen_as = "10.8.0.2:40001";
  const auto second_line = [&report] {
    const std::string text = report_text(report, false);
    const size_t begin = text.find('\n') + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(second_line() == "2026-01-31 12:00:00 UTC, heard from 10.8.0.2");
  report.callers[1].out.seen_as = "[fd00::2]:40001";
  CHECK(second_line() == "2026-01-31 12:00:00 UTC, heard from 10.8.0.2 and 1 other address");
  report.callers[2].out.seen_as = "10.8.0.3:40001";
  CHECK(second_line() == "2026-01-31 12:00:00 UTC, heard from 10.8.0.2 and 2 other addresses");
  CHECK(has(report_markdown(report), "2026-01-31 12:00:00 UTC, heard from 10.8.0.2 and 2 other"));
  for (udp::Caller& caller : report.callers) caller.out.seen_as = "";
  CHECK(second_line() == "2026-01-31 12:00:00 UTC, heard from nobody");
}

TEST_CASE("broken limits stand last, each on a line") {
  udp::Report report = udp_report::report({100, 90});
  report.verdict.broken_limits = {"one", "two"};
  CHECK(report_text(report, false).ends_with("\n\nlimit broken: one\nlimit broken: two\n"));
}

TEST_CASE("verbose tells of every second, every caller and the time slept") {
  const udp::Report report = udp_report::report({100, 100});
  const std::string text = report_text(report, true);
  CHECK(has(text, "the sender slept 95.00 % of the time\n"));
  CHECK(has(text, "\nsecond  sent  received"));
  CHECK(has(text, "\n9         20        20"));
  CHECK(has(text, "\n1       10.8.0.3"));
  CHECK_FALSE(has(report_text(report, false), "slept"));
}

TEST_CASE("an unknown figure is no zero in text and CSV") {
  udp::Report report = udp_report::report({100});
  report.has_receiver = false;
  report.callers[0].mos = 0;
  CHECK(has(report_text(report, false), "to the server   100         ?     ?"));
  const std::vector<std::string> lines = base::split(report_csv(report), '\n');
  CHECK(lines[1] == "0,10.8.0.2,10.8.0.2:40000,100,0," + std::string(26, ',') + "\r");
}

TEST_CASE("CSV has as many fields in each line as in its header") {
  udp::Report report = udp_report::report({100, 90, 100});
  report.callers[1].has_back = true;
  report.callers[2].send_error = "no \"way\", none";
  const std::vector<std::string> lines = base::split(report_csv(report), '\n');
  REQUIRE(lines.size() == 5);
  CHECK(lines[4].empty());
  const auto fields = std::count(lines[0].begin(), lines[0].end(), ',');
  CHECK(std::count(lines[1].begin(), lines[1].end(), ',') == fields);
  CHECK(std::count(lines[2].begin(), lines[2].end(), ',') == fields);
  CHECK(has(lines[2], "1,10.8.0.3,10.8.0.2:40000,100,0,,90,10,10.000,0,0,0,20.000,"));
  CHECK(has(lines[3], ",\"no \"\"way\"\", none\","));
}

TEST_CASE("a summary in Markdown can't be broken by an address") {
  udp::Report report = udp_report::report({100, 90});
  report.callers[1].address = "a|b<img src=x>\n`c`";
  const std::string text = report_markdown(report);
  CHECK(text.starts_with("**1 of 2 callers below MOS 3.6: loss 5.00 %"));
  CHECK(has(text, "| to the server | 200 | 190 | 10 | 5.00 % | 0 | 0 | 0 |\n"));
  CHECK(has(text, "a\\|b&lt;img src=x>"));
  CHECK_FALSE(has(text, "\n\\`c"));
}
