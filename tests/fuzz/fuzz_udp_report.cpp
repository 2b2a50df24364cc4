// Reports of udp-load as they are read for merging. Holds: what is written reads as it was, all
// forms can be made, a report merged with itself has twice the packets.
#include "fuzz.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "udp/report_text.hpp"

namespace {

void check_forms(const udp::Report& report) {
  udp::report_text(report, true);
  fuzz::expect_utf8(udp::report_markdown(report));
  fuzz::expect_utf8(udp::report_csv(report));
  fuzz::expect_utf8(udp::report_html(report));
}

void check(const udp::Report& report) {
  const std::string written = json::write(udp::report_json(report));
  fuzz::expect(json::is_json(written), "a report is JSON", written);
  udp::Report again;
  std::string why;
  const bool is_read =
      fuzz::takes([&] { again = udp::read_report(json::parse(written, "b"), "b"); }, &why);
  fuzz::expect(is_read, "what is written reads", why);
  check_forms(report);
  udp::Report merged;
  const std::vector<std::string> names{"a.json", "b.json"};
  const bool is_merged = fuzz::takes([&] { merged = udp::merge_reports({report, report}, names); });
  if (!is_merged) return;
  fuzz::expect(merged.totals.out.sent == 2 * report.totals.out.sent, "twice the packets", written);
  fuzz::takes([&] {
    const udp::Limits limits{.loss = 0.01, .jitter_ms = 20, .delay_p99_ms = 100, .mos = 3.6};
    udp::judge_merged(merged, {report, report}, names, limits);
  });
  check_forms(merged);
  fuzz::expect(json::is_json(json::write(udp::report_json(merged))), "a merged report is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = json::try_parse(fuzz::text_of(data, size));
  if (!value) return 0;
  udp::Report report;
  if (fuzz::takes([&] { report = udp::read_report(*value, "a.json"); })) check(report);
  fuzz::takes([&] {
    const udp::Histogram histogram = udp::read_histogram(*value, "x");
    for (const double percent : {0.0, 50.0, 99.9, 100.0}) histogram.percentile_us(percent);
  });
  return 0;
}
