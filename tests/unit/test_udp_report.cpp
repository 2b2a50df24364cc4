#include "udp/report.hpp"

#include <doctest/doctest.h>

#include "udp/figures.hpp"
#include "udp_report_stage.hpp"

using namespace udp_report;

namespace {

// The MOS of G.711 in a buffer of 60 ms and frames of 20 ms.
double mos_of(double loss, double network_ms) {
  const udp::Codec codec = udp::codec_named("g711");
  return udp::mos(udp::rating(codec, {.loss = loss, .delay_ms = network_ms + 80}));
}

}  // namespace

TEST_CASE("figures have separators, units and no false zeros") {
  CHECK(udp::grouped(0) == "0");
  CHECK(udp::grouped(999) == "999");
  CHECK(udp::grouped(1000) == "1,000");
  CHECK(udp::grouped(3'000'000) == "3,000,000");
  CHECK(udp::percent(0) == "0.00 %");
  CHECK(udp::percent(0.000001) == "<0.01 %");
  CHECK(udp::percent(0.021) == "2.10 %");
  CHECK(udp::percent(0.999999) == ">99.99 %");
  CHECK(udp::percent(1) == "100.00 %");
  CHECK(udp::ms_text(40) == "0.04 ms");
  CHECK(udp::ms_text(12'340) == "12.3 ms");
  CHECK(udp::ms_text(1'204'000) == "1,204 ms");
  CHECK(udp::seconds_text(60) == "60 s");
  CHECK(udp::seconds_text(2.5) == "2.5 s");
  CHECK(udp::counted(1, "packet") == "1 packet");
  CHECK(udp::counted(0, "packet") == "0 packets");
}

TEST_CASE("what was sent and did not arrive is lost") {
  const udp::Report report = udp_report::report({100, 90, 0});
  const udp::Direction& out = report.totals.out;
  CHECK(out.sent == 300);
  CHECK(out.received == 190);
  CHECK(out.lost == 110);
  CHECK(report.callers[1].lost == 10);
  CHECK(report.callers[2].lost == 100);
  CHECK(report.callers[1].address == "10.8.0.3");
  CHECK(report.seconds.size() == 10);
  CHECK(report.seconds[3].sent == 30);
  CHECK(report.seconds[3].received == 19);
  CHECK(report.seconds[3].lost == 11);
  CHECK(report.jitter.count() == 2);
}

TEST_CASE("a caller's MOS is that of what was heard") {
  const udp::Report report = udp_report::report({100, 90, 0});
  CHECK(report.callers[0].mos == doctest::Approx(mos_of(0, 20)));
  CHECK(report.callers[1].mos == doctest::Approx(mos_of(0.1, 20)));
  CHECK(report.callers[2].mos == 1);
  CHECK(report.callers[2].r == 0);
  CHECK(report.totals.mos_min == 1);
  CHECK(report.totals.callers_below == 2);
}

TEST_CASE("a late packet is as bad as a lost one, and an unknown clock is no delay") {
  udp::Sent all = sent(1);
  udp::Received out = received({90});
  out.flows[0].counts.late = 10;
  udp::Parts parts;
  parts.sent = &all;
  parts.out = &out;
  CHECK(make_report(settings(1), parts).callers[0].mos == doctest::Approx(mos_of(0.2, 20)));
  out.is_bound_known = false;
  CHECK(make_report(settings(1), parts).callers[0].mos == doctest::Approx(mos_of(0.2, 0)));
}

TEST_CASE("of two directions the worse one counts") {
  const udp::Sent all = sent(2);
  const udp::Received out = received({100, 50}), back = received({80, 50});
  const std::vector<uint64_t> echoes = {90, 50};
  std::vector<udp::Histogram> rtt(2);
  rtt[1].add(41'000);
  udp::Parts parts;
  parts.sent = &all;
  parts.out = &out;
  parts.back = &back;
  parts.rtt = &rtt;
  udp::Report report = make_report(settings(2), parts);
  CHECK(report.callers[0].back_sent == 100);
  CHECK(report.callers[0].back_lost == 20);
  CHECK(report.callers[0].mos == doctest::Approx(mos_of(0.2, 20)));
  CHECK(report.callers[1].mos == doctest::Approx(mos_of(0.5, 20)));
  CHECK(report.callers[1].rtt.max_us == 41'000);
  CHECK(report.rtt.count() == 1);
  CHECK(report.totals.back.received == 130);

  parts.echoes = &echoes;
  CHECK(make_report(settings(2), parts).callers[0].back_lost == 10);
  // No word of the server: what was sent should have come back.
  parts.out = nullptr;
  parts.echoes = nullptr;
  report = make_report(settings(2), parts);
  CHECK_FALSE(report.has_receiver);
  CHECK(report.totals.out.lost == 0);
  CHECK(report.callers[1].back_lost == 50);
}

TEST_CASE("a report can be made of whatever is there") {
  SUBCASE("of no callers") {
    const udp::Report report = udp_report::report({});
    CHECK(report.callers.empty());
    CHECK(report.totals.out.loss() == 0);
    CHECK(report.totals.mos_mean == 0);
  }
  const udp::Sent all = sent(2);
  udp::Parts parts;
  SUBCASE("of nothing at all") {
    const udp::Report report = make_report(settings(2), parts);
    CHECK(report.totals.out.sent == 0);
    CHECK(report.callers.size() == 2);
    CHECK(report.callers[0].mos == 0);
  }
  SUBCASE("of a receiver with fewer flows than callers") {
    const udp::Received out = received({100});
    parts.sent = &all;
    parts.out = &out;
    const udp::Report report = make_report(settings(2), parts);
    CHECK(report.callers[1].lost == 100);
    CHECK(report.callers[1].mos == 1);
  }
  SUBCASE("of more received than sent") {
    const udp::Received out = received({120, 100});
    parts.sent = &all;
    parts.out = &out;
    const udp::Report report = make_report(settings(2), parts);
    CHECK(report.totals.out.lost == 0);
    CHECK(report.seconds[0].lost == 0);
  }
  SUBCASE("of the receiver only: the client vanished") {
    const udp::Received out = received({90, 0});
    parts.out = &out;
    const udp::Report report = make_report(settings(2), parts);
    CHECK(report.totals.out.sent == 100);
    CHECK(report.totals.out.lost == 10);
    CHECK(report.callers[1].mos == 0);
    CHECK(report.seconds[0].sent == 9);
    CHECK(report.seconds[0].lost == 0);
  }
  SUBCASE("of the sender only") {
    parts.sent = &all;
    const udp::Report report = make_report(settings(2), parts);
    CHECK_FALSE(report.has_receiver);
    CHECK(report.totals.out.sent == 200);
    CHECK(report.totals.out.lost == 0);
    CHECK(report.callers[0].mos == 0);
    CHECK(report.seconds.size() == 10);
  }
}

TEST_CASE("the rate sent is known to a tenth of a percent") {
  struct Case {
    const char* name;
    uint64_t sent;
    double took_s;
    double error;
  };
  for (const Case& c : {Case{"as planned", 100, 9.9, 0}, Case{"too slow", 100, 19.8, -0.5},
                        Case{"not all", 99, 9.9, -0.01}, Case{"stopped half way", 50, 4.95, 0}}) {
    CAPTURE(c.name);
    udp::Sent all = sent(1);
    all.packets[0] = c.sent;
    all.took_s = c.took_s;
    const udp::Received out = received({c.sent});
    udp::Parts parts;
    parts.sent = &all;
    parts.out = &out;
    const udp::Totals totals = make_report(settings(1), parts).totals;
    CHECK(totals.rate_error == doctest::Approx(c.error));
    CHECK(totals.rate_bps == doctest::Approx(12'800 * (1 + c.error)));
  }
}
