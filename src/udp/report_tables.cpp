#include "udp/report_tables.hpp"

#include <algorithm>
#include <vector>

#include "udp/html.hpp"

namespace udp {

namespace {

std::string in_ms(int64_t us) {
  return udp::in_ms(static_cast<double>(us));
}

void put_direction(std::string& html, const char* name, const Direction& direction) {
  put(html,
      "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "</tr>\n",
      name, grouped(direction.sent), grouped(direction.received), grouped(direction.lost),
      in_percent(direction.loss()), grouped(direction.duplicated), grouped(direction.reordered),
      grouped(direction.late));
}

void put_directions(std::string& html, const Report& report) {
  if (!report.has_receiver) return;
  html +=
      "<h2>Packets</h2><div class=\"card scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Packets\"><table><thead><tr><th>Direction</th><th>Sent</th><th>Received</th>"
      "<th>Lost</th><th>Loss</th><th>Duplicated</th><th>Reordered</th><th>Late</th></tr></thead>"
      "<tbody>\n";
  put_direction(html, "out", report.totals.out);
  if (report.totals.back.sent > 0) put_direction(html, "back", report.totals.back);
  html += "</tbody></table></div>\n";
}

// The ten with the lowest MOS, then the most lost; without a report those with the most errors.
std::vector<const Caller*> worst_callers(const Report& report) {
  std::vector<const Caller*> worst;
  for (const Caller& caller : report.callers) worst.push_back(&caller);
  const auto is_worse = [](const Caller* a, const Caller* b) {
    if (a->mos != b->mos) return a->mos < b->mos;
    if (a->lost + a->back_lost != b->lost + b->back_lost) {
      return a->lost + a->back_lost > b->lost + b->back_lost;
    }
    if (a->send_errors != b->send_errors) return a->send_errors > b->send_errors;
    if (a->out.jitter_mean_us != b->out.jitter_mean_us) {
      return a->out.jitter_mean_us > b->out.jitter_mean_us;
    }
    return a->client < b->client;
  };
  const size_t count = std::min<size_t>(10, worst.size());
  std::partial_sort(worst.begin(), worst.begin() + static_cast<std::ptrdiff_t>(count), worst.end(),
                    is_worse);
  worst.resize(count);
  return worst;
}

void put_caller(std::string& html, const Report& report, const Caller& caller) {
  const auto cell = [&](const std::string& text) { put(html, "<td>{}</td>", html_escaped(text)); };
  const bool is_known = report.is_bound_known && caller.out.counts.received > 0;
  const auto delay = [&](int64_t us) { cell(is_known ? in_ms(us) : "\u2013"); };
  const auto share = [](uint64_t part, uint64_t whole) {
    return in_percent(whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole));
  };
  html += "<tr>";
  cell(caller.address.empty() ? fmt::format("caller {}", caller.client + 1) : caller.address);
  if (report.has_receiver) {
    put(html, "<td{}>{:.2f}</td>", caller.mos < report.totals.mos_limit ? " class=\"low\"" : "",
        caller.mos);
  }
  cell(grouped(caller.sent));
  if (report.has_receiver) {
    cell(grouped(caller.lost));
    cell(share(caller.lost, caller.sent));
    if (report.totals.back.sent > 0) cell(share(caller.back_lost, caller.back_sent));
    cell(grouped(caller.out.counts.late));
    cell(udp::in_ms(caller.out.jitter_mean_us));
    delay(caller.out.delay.p50_us);
    delay(caller.out.delay.p99_us);
    delay(caller.out.delay.max_us);
    if (report.rtt.count() > 0) cell(in_ms(caller.rtt.p99_us));
    cell(caller.out.seen_as.empty() ? "never" : caller.out.seen_as);
  }
  if (report.totals.send_errors > 0) {
    put(html, "<td>{}</td><td class=\"text\">{}</td>", grouped(caller.send_errors),
        html_escaped(caller.send_error));
  }
  html += "</tr>\n";
}

void put_worst(std::string& html, const Report& report) {
  const std::vector<const Caller*> worst = worst_callers(report);
  if (worst.empty()) return;
  put(html,
      "<h2>{}</h2><div class=\"card scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Worst callers\"><table><thead><tr><th>Address</th>",
      worst.size() > 1 ? fmt::format("The worst {} callers", worst.size()) : "The caller");
  if (report.has_receiver) html += "<th>MOS</th>";
  html += "<th>Sent</th>";
  if (report.has_receiver) {
    html += "<th>Lost</th><th>Loss</th>";
    if (report.totals.back.sent > 0) html += "<th>Loss back</th>";
    html += "<th>Late</th><th>Jitter</th><th>Delay p50</th><th>Delay p99</th><th>Delay max</th>";
    if (report.rtt.count() > 0) html += "<th>Round trip p99</th>";
    html += "<th>Seen as</th>";
  }
  if (report.totals.send_errors > 0) {
    html += "<th>Send errors</th><th class=\"text\">Last error</th>";
  }
  html += "</tr></thead><tbody>\n";
  for (const Caller* caller : worst) put_caller(html, report, *caller);
  html += "</tbody></table></div>\n";
}

}  // namespace

std::string tables_html(const Report& report) {
  std::string html;
  if (report.has_receiver || report.totals.send_errors > 0) put_worst(html, report);
  put_directions(html, report);
  return html;
}

}  // namespace udp
