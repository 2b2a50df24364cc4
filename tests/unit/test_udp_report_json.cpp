#include <doctest/doctest.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "udp/report_text.hpp"
#include "udp_report_stage.hpp"

using namespace udp_report;

namespace {

std::string text_of(const udp::Report& report) {
  return json::write(report_json(report));
}

std::string error_of(const std::string& text) {
  try {
    udp::read_report(json::parse(text, "a.json"), "a.json");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("programs find totals under their names, before the clients") {
  udp::Report report = udp_report::report({100, 90});
  report.started_unix_s = 1'700'000'000;
  const json::Value value = json::parse(text_of(report), "report");
  std::vector<std::string> names;
  for (const json::Member& member : *json::as_object(&value)) names.push_back(member.name);
  CHECK(base::join(names, " ") ==
        "tool format kind started has_receiver settings totals verdict seconds histograms clients");
  CHECK(json::string_at(value, "started") == "2023-11-14T22:13:20Z");
  const std::string totals = json::write(*json::find(value, "totals"));
  CHECK_MESSAGE(
      totals.starts_with(
          R"({"sent":200,"received":190,"lost":10,"duplicated":0,"reordered":0,"late":0,)"
          R"("loss_percent":5,"planned":200,"send_errors":0,"delay_ms":{"mean":20,"p50":20,)"),
      totals);
  CHECK(json::write(*json::find(value, {"totals", "delay_ms", "bound"})) == "0.3");
  CHECK(json::write(*json::find(value, {"totals", "mos", "below"})) == "1");
  CHECK(json::write(*json::find(value, {"verdict", "by_network"})) == "10");
}

TEST_CASE("what nobody knows is not written as 0") {
  udp::Report report = udp_report::report({100});
  report.has_receiver = false;
  const json::Value value = json::parse(text_of(report), "report");
  CHECK(json::find(value, {"totals", "sent"}) != nullptr);
  CHECK(json::find(value, {"totals", "lost"}) == nullptr);
  CHECK(json::find((*json::as_array(json::find(value, "clients")))[0], "lost") == nullptr);
  report.has_receiver = true;
  report.is_bound_known = false;
  const json::Value clockless = json::parse(text_of(report), "report");
  CHECK(json::is_null(json::find(clockless, {"totals", "delay_ms", "bound"})));
  CHECK_FALSE(udp::read_report(clockless, "a.json").is_bound_known);
}

TEST_CASE("a report comes back from its JSON as it was") {
  udp::Report report = udp_report::report({100, 90, 0});
  report.started_unix_s = 1'700'000'001;
  report.ended = "interrupted";
  report.callers[0].out.jitter_mean_us = 1234.567;
  add_up(report);
  const std::string text = text_of(report);
  udp::Report again = udp::read_report(json::parse(text, "a.json"), "a.json");
  again.verdict = report.verdict;
  CHECK(text_of(again) == text);
  CHECK(again.started_unix_s == report.started_unix_s);
  CHECK(again.settings.codec.bpl == report.settings.codec.bpl);
  // The tree itself is as good as its text.
  CHECK(udp::read_report(report_json(report), "tree").totals.out.lost == 110);
}

TEST_CASE("a histogram comes back from its JSON as it was") {
  udp::Histogram histogram;
  CHECK(udp::read_histogram(histogram_json(histogram), "h").count() == 0);
  histogram.add(0, 3);
  histogram.add(123'456'789);
  const udp::Histogram again = udp::read_histogram(histogram_json(histogram), "h");
  CHECK(again.buckets() == histogram.buckets());
  CHECK(again.sum_us() == histogram.sum_us());
  CHECK(again.max_us() == histogram.max_us());
}

TEST_CASE("a broken report is refused with the place where it is broken") {
  struct Case {
    const char* from;
    const char* to;
    const char* error;
  };
  const std::string text = text_of(udp_report::report({100}));
  CHECK(error_of(text) == "");
  for (const Case& c : {
           Case{"opsbelt udp-load", "iperf3",
                "a.json is no report of udp-load; it is written by --output json"},
           Case{"\"format\":1", "\"format\":2",
                "a.json, at /format: only format 1 is known; use the version that wrote it"},
           Case{"1970-01-01T00", "1970-13-01T00",
                "a.json, at /started: this is no time like 2026-01-31T12:00:00Z"},
           Case{"\"totals\":", "\"total\":", "a.json, at /totals: this is no object"},
           Case{"\"totals\":{\"sent\":100,", "\"totals\":{",
                "a.json, at /totals/sent: this is missing"},
           Case{"\"planned\":100", "\"planned\":-1",
                "a.json, at /totals/planned: this is no count"},
           Case{"\"codec\":\"g711\"", "\"codec\":\"mp3\"",
                "a.json, at /settings/codec: no codec is called 'mp3'; choose one of g711, "
                "g711-plc, g729, opus"},
           Case{"\"clients\":[{\"client\":0,", "\"clients\":[5,{",
                "a.json, at /clients/0: this is no object"},
           Case{"\"address\":\"10.8.0.2\",\"sent\":100", "\"sent\":\"100\"",
                "a.json, at /clients/0/sent: this is no count"},
           Case{"\"max_us\":20000,\"buckets\":[[", "\"max_us\":20000,\"buckets\":[[4000000,1],[",
                "a.json, at /histograms/delay/buckets: no such bucket"},
           Case{"\"max_us\":20000,\"buckets\":[[", "\"max_us\":20000,\"buckets\":[[1],[",
                "a.json, at /histograms/delay/buckets/0: this is no pair"},
       }) {
    CAPTURE(c.from);
    REQUIRE(text.find(c.from) != std::string::npos);
    CHECK(error_of(base::replace_all(text, c.from, c.to)) == c.error);
  }
  CHECK(error_of("[]") == "a.json is no report of udp-load; it is written by --output json");
}

// Nobody could draw these: a page of such a report would never be made.
TEST_CASE("numbers that no report can have are refused") {
  udp::Report report = udp_report::report({100});
  report.seconds.push_back({.second = 4'503'599'627'370'000});
  CHECK(error_of(text_of(report)).find("this is after more than 3 years") != std::string::npos);
  report.seconds.clear();
  report.callers[0].mos = 1e9;
  CHECK(error_of(text_of(report)) == "a.json, at /clients/0/mos: this is no MOS, which is 1 to 5");
  report.callers[0].mos = 4;
  report.settings.bps = 1e300;
  CHECK(error_of(text_of(report)) == "a.json, at /settings/bps: this is no number up to 1e18");
}

TEST_CASE("words of a report that somebody else wrote stay on their line") {
  udp::Report report = udp_report::report({100});
  report.ended = "x\n::error::y\x1b[2J";
  report.callers[0].address = "10.8.0.2\n::set-output name=a::b";
  const udp::Report again = udp::read_report(report_json(report), "a.json");
  CHECK(again.ended.find('\n') == std::string::npos);
  CHECK(again.ended.find('\x1b') == std::string::npos);
  CHECK(again.callers[0].address.find('\n') == std::string::npos);
}
