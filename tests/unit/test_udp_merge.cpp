#include <doctest/doctest.h>

#include "base/error.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "udp/report_text.hpp"
#include "udp_report_stage.hpp"

using namespace udp_report;

namespace {

// Three callers with echo; everything that can be counted is.
udp::Report busy(const std::vector<uint64_t>& there, const std::vector<uint64_t>& and_back,
                 int64_t delay_us) {
  const auto clients = static_cast<uint32_t>(there.size());
  udp::Sent all = sent(clients);
  all.errors[0] = 2;
  all.why[0] = "Network is unreachable";
  all.lateness.add(delay_us);
  udp::Received out = received(there), back = received(and_back);
  out.delay.add(delay_us);
  for (udp::FlowResult& flow : out.flows) {
    flow.counts.duplicated = 3;
    flow.counts.reordered = 2;
    flow.counts.late = 1;
  }
  out.queue_drops = 2;
  out.other = 5;
  std::vector<udp::Histogram> rtt(clients);
  rtt[0].add(2 * delay_us, 7);
  udp::Parts parts{.sent = &all, .out = &out, .back = &back, .rtt = &rtt};
  parts.addresses = addresses(clients);
  udp::Settings with_echo = settings(clients);
  with_echo.echo = true;
  udp::Report report = make_report(with_echo, parts);
  report.started_unix_s = 1'700'000'000;
  judge(report, {}, &out, &back);
  return report;
}

}  // namespace

namespace udp {

// For the comparisons below.
static bool operator==(const Histogram& a, const Histogram& b) {
  return a.buckets() == b.buckets() && a.sum_us() == b.sum_us() && a.max_us() == b.max_us();
}

static bool operator==(const Direction& a, const Direction& b) {
  return a.sent == b.sent && a.received == b.received && a.lost == b.lost &&
         a.duplicated == b.duplicated && a.reordered == b.reordered && a.late == b.late;
}

}  // namespace udp

TEST_CASE("merging the halves is the whole, to the last packet") {
  const std::vector<uint64_t> there = {100, 90, 80, 70}, back = {100, 80, 80, 60};
  const udp::Sent all = sent(4), half = sent(2);
  const udp::Received out = received(there), out_one = received({100, 90}),
                      out_two = received({80, 70});
  udp::Parts parts{.sent = &all, .out = &out};
  parts.addresses = addresses(4);
  udp::Report whole = make_report(settings(4), parts);
  parts = {.sent = &half, .out = &out_one};
  udp::Report one = make_report(settings(2), parts);
  parts.out = &out_two;
  udp::Report two = make_report(settings(2), parts);
  const udp::Report merged = udp::merge_reports({one, two}, {"a.json", "b.json"});

  CHECK(merged.kind == "merged");
  CHECK(merged.totals.out == whole.totals.out);
  CHECK(merged.totals.planned == whole.totals.planned);
  CHECK(merged.totals.mos_mean == doctest::Approx(whole.totals.mos_mean));
  CHECK(merged.totals.mos_min == whole.totals.mos_min);
  CHECK(merged.totals.callers_below == whole.totals.callers_below);
  CHECK(merged.totals.rate_bps == doctest::Approx(whole.totals.rate_bps));
  CHECK(merged.delay == whole.delay);
  CHECK(merged.jitter == whole.jitter);
  CHECK(merged.lateness == whole.lateness);
  REQUIRE(merged.seconds.size() == whole.seconds.size());
  for (size_t i = 0; i < whole.seconds.size(); ++i) {
    CHECK(merged.seconds[i].second == whole.seconds[i].second);
    CHECK(merged.seconds[i].sent == whole.seconds[i].sent);
    CHECK(merged.seconds[i].received == whole.seconds[i].received);
    CHECK(merged.seconds[i].lost == whole.seconds[i].lost);
    CHECK(merged.seconds[i].delay_us == doctest::Approx(whole.seconds[i].delay_us));
    CHECK(merged.seconds[i].delay_max_us == whole.seconds[i].delay_max_us);
  }
  CHECK(merged.settings.clients == 4);
  CHECK(merged.callers[3].client == 3);
  CHECK(merged.callers[3].lost == 30);
}

TEST_CASE("a report read from its JSON merges as the report itself") {
  const udp::Report one = busy({100, 90, 0}, {90, 80, 0}, 30'000);
  udp::Report two = busy({80, 90, 100}, {80, 90, 100}, 70'000);
  two.ended = "interrupted";
  two.settings.server = "10.0.0.9:5001";
  const auto again = [](const udp::Report& report) {
    const std::string text = json::write(report_json(report));
    return udp::read_report(json::parse(text, "a.json"), "a.json");
  };
  const std::vector<std::string> names = {"a.json", "b.json"};
  udp::Report direct = udp::merge_reports({one, two}, names);
  udp::Report read = udp::merge_reports({again(one), again(two)}, names);
  CHECK(direct.verdict.by_receiver == 4);
  CHECK(direct.settings.server == "10.0.0.1:5001, 10.0.0.9:5001");
  CHECK(direct.ended == "interrupted");
  judge(direct, {}, nullptr, nullptr);
  judge(read, {}, nullptr, nullptr);
  CHECK(direct.verdict.by_receiver == 4);
  CHECK(json::write(report_json(read)) == json::write(report_json(direct)));
  CHECK(report_text(read, true) == report_text(direct, true));
}

TEST_CASE("seconds of tests of different lengths add up by their number") {
  udp::Report one = udp_report::report({100}), two = udp_report::report({100});
  one.seconds.resize(2);
  two.seconds.erase(two.seconds.begin());
  const udp::Report merged = udp::merge_reports({one, two}, {"a.json", "b.json"});
  REQUIRE(merged.seconds.size() == 10);
  CHECK(merged.seconds[0].sent == 10);
  CHECK(merged.seconds[1].sent == 20);
  CHECK(merged.seconds[9].second == 9);
  CHECK(merged.seconds[9].sent == 10);
}

TEST_CASE("what one report does not know, all together do not know") {
  udp::Report one = udp_report::report({100}), two = udp_report::report({100});
  two.has_receiver = false;
  two.is_bound_known = false;
  const udp::Report merged = udp::merge_reports({one, two}, {"a.json", "b.json"});
  CHECK_FALSE(merged.has_receiver);
  CHECK_FALSE(merged.is_bound_known);
}

TEST_CASE("reports of different tests do not add up") {
  struct Case {
    const char* what;
    void (*change)(udp::Settings&);
  };
  for (const Case& c :
       {Case{"the codec (g711 and g729)",
             [](udp::Settings& s) { s.codec = udp::codec_named("g729"); }},
        Case{"the packet size (160 and 200 bytes)", [](udp::Settings& s) { s.packet_size = 200; }},
        Case{"the rate (12800 and 65000 bit/s)", [](udp::Settings& s) { s.bps = 65'000; }},
        Case{"the jitter buffer (60 and 40 ms)",
             [](udp::Settings& s) { s.jitter_buffer_ms = 40; }}}) {
    const udp::Report one = udp_report::report({100});
    udp::Report two = one;
    c.change(two.settings);
    try {
      udp::merge_reports({one, one, two}, {"a.json", "b.json", "c.json"});
      FAIL(c.what);
    } catch (const base::Error& error) {
      CHECK(error.code() == base::exit_bad_input);
      CHECK(error.what() == std::string("a.json and c.json differ in ") + c.what +
                                "; only runs with the same one add up");
    }
  }
  CHECK_THROWS_AS(udp::merge_reports({}, {}), base::Error);
}

TEST_CASE("one late sender among many makes the sum of them invalid") {
  std::vector<udp::Report> parts;
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    parts.push_back(udp_report::report(std::vector<uint64_t>(200, 100)));
    names.push_back("part" + std::to_string(i) + ".json");
  }
  parts.push_back(udp_report::report({100}));
  names.emplace_back("late.json");
  parts.back().lateness = {};
  parts.back().lateness.add(500'000, 100);
  udp::Report all = udp::merge_reports(parts, names);
  udp::judge_merged(all, parts, names, {});
  CHECK_FALSE(all.verdict.is_valid);
  REQUIRE_FALSE(all.verdict.sentences.empty());
  CHECK(all.verdict.sentences.back().starts_with("late.json is invalid by itself: The sender was"));
  parts.pop_back();
  names.pop_back();
  all = udp::merge_reports(parts, names);
  udp::judge_merged(all, parts, names, {});
  CHECK(all.verdict.is_valid);
}
