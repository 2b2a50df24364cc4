// A report in the forms that people and programs read. Text of one screen, JSON, CSV, Markdown for
// a job summary, and a page of HTML that needs nothing but itself.
#pragma once

#include <string>

#include "json/value.hpp"
#include "udp/report.hpp"

namespace udp {

std::string report_text(const Report& report, bool is_verbose);
std::string report_markdown(const Report& report);
std::string report_csv(const Report& report);  // a line for each caller, with a header (RFC 4180)
std::string report_html(const Report& report);

json::Value report_json(const Report& report);
// The report that such JSON was written from, for merging. Throws 65 "NAME, at /totals/sent: …".
Report read_report(const json::Value& value, const std::string& name);

json::Value histogram_json(const Histogram& histogram);
Histogram read_histogram(const json::Value& value, const std::string& name);

}  // namespace udp
