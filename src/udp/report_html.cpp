#include <fmt/chrono.h>
#include <fmt/format.h>

#include "udp/html.hpp"
#include "udp/report_charts.hpp"
#include "udp/report_style.hpp"
#include "udp/report_tables.hpp"
#include "udp/report_text.hpp"

namespace udp {

namespace {

std::string in_ms(int64_t us) {
  return udp::in_ms(static_cast<double>(us));
}

std::string of_packets(uint64_t part, uint64_t whole) {
  return grouped(part) + " of " + grouped(whole) + " packets";
}

std::string callers(uint64_t count) {
  return grouped(count) + (count == 1 ? " caller" : " callers");
}

// What the whole comes to.
struct Headline {
  std::string colour, badge, sentence;
};

Headline headline(const Report& report) {
  const Totals& totals = report.totals;
  const std::string below =
      fmt::format("{} of {} below a MOS of {:.3g}", grouped(totals.callers_below),
                  callers(report.callers.size()), totals.mos_limit);
  if (!report.has_receiver) {
    return {"bad", "No report", "No report came from the server: what arrived is unknown."};
  }
  if (!report.verdict.is_valid) {
    return {"warn", "Not valid",
            "The sender did not keep to its plan: this run says little of the network."};
  }
  if (!report.verdict.broken_limits.empty()) {
    return {"bad", "Limits broken",
            below + fmt::format(", {} lost.", in_percent(totals.out.loss()))};
  }
  if (totals.out.received == 0) return {"bad", "Nothing arrived", "Not one packet arrived."};
  if (!report.ended.empty()) return {"warn", "Ended early", below + " until then."};
  if (totals.callers_below > 0) return {"warn", "Poor calls", below + "."};
  return {"good", "Good",
          report.callers.size() == 1
              ? fmt::format("The caller is heard well: a MOS of {:.2f}.", totals.mos_min)
              : fmt::format("All {} are heard well: a MOS of {:.2f} or better.",
                            callers(report.callers.size()), totals.mos_min)};
}

void put_head(std::string& html, const Report& report) {
  const Settings& set = report.settings;
  const std::string title = fmt::format("UDP voice load: {}{}", callers(report.callers.size()),
                                        set.server.empty() ? "" : " to " + set.server);
  const char* kind = report.kind == "server"   ? "as the server saw it"
                     : report.kind == "merged" ? "several generators together"
                                               : "as the client saw it";
  put(html,
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style></head>\n<body><main>\n<h1>{0}</h1>\n",
      html_escaped(title), kReportStyle);
  put(html, "<p class=\"sub\">{:%Y-%m-%d %H:%M:%S} UTC, {}, {}</p>\n",
      fmt::gmtime(static_cast<std::time_t>(report.started_unix_s)), in_time(set.seconds), kind);
}

void put_verdict(std::string& html, const Report& report) {
  const Headline head = headline(report);
  put(html,
      "<section class=\"card verdict {}\"><p class=\"says\"><span class=\"badge\"><span>{}</span>"
      "</span>{}</p>\n",
      head.colour, head.badge, html_escaped(head.sentence));
  std::string items;
  for (const std::string& text : report.verdict.broken_limits) {
    put(items, "<li class=\"broken\">Limit broken: {}</li>\n", html_escaped(text));
  }
  if (!report.ended.empty())
    put(items, "<li>It ended early: {}.</li>\n", html_escaped(report.ended));
  for (const std::string& text : report.verdict.sentences) {
    put(items, "<li>{}</li>\n", html_escaped(text));
  }
  if (!items.empty()) put(html, "<ul>{}</ul>", items);
  html += "</section>\n";
}

void put_tile(std::string& html, const std::string& what, const std::string& figure,
              const std::string& more, const std::string& colour = "") {
  put(html,
      "<div class=\"card tile {}\"><div class=\"what\">{}</div><div class=\"figure\">{}</div>"
      "<div class=\"more\">{}</div></div>\n",
      colour, html_escaped(what), html_escaped(figure), html_escaped(more));
}

void put_delay_tiles(std::string& html, const Report& report) {
  if (!report.is_bound_known) {
    put_tile(html, "One-way delay", "unknown", "the clocks were never compared");
  } else if (report.delay.count() > 0) {
    put_tile(html, "One-way delay, p50", in_ms(report.delay.percentile_us(50)),
             fmt::format("p99 {}, \u00b1\u00a0{}", in_ms(report.delay.percentile_us(99)),
                         in_ms(report.bound_us)));
  }
  if (report.rtt.count() > 0) {
    put_tile(html, "Round trip, p50", in_ms(report.rtt.percentile_us(50)),
             fmt::format("p99 {}", in_ms(report.rtt.percentile_us(99))));
  }
}

void put_receiver_tiles(std::string& html, const Report& report) {
  const Totals& totals = report.totals;
  const bool has_back = totals.back.sent > 0;
  put_tile(html, has_back ? "Packet loss, out" : "Packet loss", in_percent(totals.out.loss()),
           of_packets(totals.out.lost, totals.out.sent), totals.out.lost == 0 ? "good" : "");
  if (has_back) {
    put_tile(html, "Packet loss, back", in_percent(totals.back.loss()),
             of_packets(totals.back.lost, totals.back.sent), totals.back.lost == 0 ? "good" : "");
  }
  put_tile(html, "Call quality, MOS", fmt::format("{:.2f}", totals.mos_mean),
           fmt::format("mean; lowest caller {:.2f}", totals.mos_min));
  put_tile(html, fmt::format("Callers below {:.3g}", totals.mos_limit),
           grouped(totals.callers_below), "of " + callers(report.callers.size()),
           totals.callers_below == 0 ? "good" : "bad");
  if (report.jitter.count() > 0) {
    put_tile(html, "Jitter, mean", udp::in_ms(report.jitter.mean_us()),
             "worst caller " + in_ms(report.jitter.max_us()));
  }
  put_delay_tiles(html, report);
}

void put_tiles(std::string& html, const Report& report) {
  const Totals& totals = report.totals;
  html += "<section class=\"tiles\" aria-label=\"Key figures\">\n";
  if (report.has_receiver) put_receiver_tiles(html, report);
  if (report.lateness.count() > 0) {
    put_tile(html, "Sender lateness, p99", in_ms(report.lateness.percentile_us(99)),
             fmt::format("largest {}; slept {:.0f}\u00a0%", in_ms(report.lateness.max_us()),
                         report.slept * 100),
             report.verdict.is_valid ? "" : "bad");
  }
  put_tile(html, "Sent", grouped(totals.out.sent),
           totals.planned > 0 ? "of " + grouped(totals.planned) + " planned packets" : "packets");
  put_tile(html, "Rate of a caller", fmt::format("{:.2f} kbit/s", totals.rate_bps / 1000),
           fmt::format("{:+.3f}\u00a0% against the plan", totals.rate_error * 100));
  html += "</section>\n";
}

void put_row(std::string& html, const std::string& name, const std::string& value,
             const std::string& dot = "") {
  html += "<dt>";
  if (!dot.empty()) put(html, "<span class=\"dot {}\"></span>", dot);
  put(html, "{}</dt><dd>{}</dd>\n", html_escaped(name), html_escaped(value));
}

// A bar of three parts, and what each means.
void put_losses(std::string& html, const Report& report) {
  const Verdict& verdict = report.verdict;
  html += "<section class=\"card box\"><h3>Where packets were lost</h3>\n";
  const uint64_t all = verdict.by_sender + verdict.by_network + verdict.by_receiver;
  if (all == 0) {
    put(html, "<p>{}</p>\n",
        report.has_receiver ? "None was lost." : "Unknown without the server's report.");
  } else {
    html += R"(<div class="split" aria-hidden="true">)";
    for (const auto& [count, name] :
         {std::pair(verdict.by_sender, "sender"), std::pair(verdict.by_network, "network"),
          std::pair(verdict.by_receiver, "receiver")}) {
      if (count > 0) put(html, R"(<i class="{}" style="flex:{}"></i>)", name, count);
    }
    html += "</div>\n";
  }
  html += "<dl>";
  put_row(html, "Refused by the sender's kernel", grouped(verdict.by_sender), "sender");
  if (report.has_receiver) {
    put_row(html, "On the network", grouped(verdict.by_network), "network");
    put_row(html, "In the receiver's own queue", grouped(verdict.by_receiver), "receiver");
    put_row(html, "Packets of no session", grouped(report.other));
    put_row(html, "Packets that are none of this tool's", grouped(report.malformed));
    put_row(html, "Times a clock was set", grouped(report.clock_steps));
  }
  html += "</dl></section>\n";
}

void put_settings(std::string& html, const Report& report) {
  const Settings& set = report.settings;
  html += "<section class=\"card box\"><h3>Settings</h3><dl>\n";
  if (!set.server.empty()) put_row(html, "Server", set.server);
  put_row(html, "Callers", grouped(report.callers.size()));
  put_row(html, "Rate of each", fmt::format("{:.6g} kbit/s", set.bps / 1000));
  put_row(html, "Packets",
          fmt::format("{} bytes every {:.5g} ms", set.packet_size, set.interval_us / 1000));
  put_row(html, "Time of each", in_time(set.seconds));
  put_row(html, "Echo", set.echo ? "yes" : "no");
  put_row(html, "Codec", set.codec.name);
  put_row(html, "Jitter buffer", fmt::format("{:.5g} ms", set.jitter_buffer_ms));
  put_row(html, "DSCP", fmt::format("{}", set.dscp));
  html += "</dl></section>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  std::string html;
  put_head(html, report);
  put_verdict(html, report);
  put_tiles(html, report);
  put(html, "<h2>Over time and over callers</h2>\n<section class=\"charts\">\n{}</section>\n",
      charts_html(report));
  html += tables_html(report);
  html += "<h2>Losses and settings</h2><div class=\"pair\">\n";
  put_losses(html, report);
  put_settings(html, report);
  put(html,
      "</div>\n<footer>{} {}. Delays and lateness count from the time a packet was to be sent. "
      "Jitter "
      "by RFC 3550, call quality by the E-model (ITU-T G.107).</footer>\n</main></body></html>\n",
      PRODUCT_NAME, PRODUCT_VERSION);
  return html;
}

}  // namespace udp
