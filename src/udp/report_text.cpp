#include "udp/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "udp/figures.hpp"
#include "udp/summary.hpp"

namespace udp {

namespace {

constexpr size_t kWidth = 100;

// Columns: code points, good enough for ± and addresses.
size_t width_of(const std::string& text) {
  size_t width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) ++width;
  }
  return width;
}

// The first `left` columns begin at the left, others end at the right, but for a last one without a
// header: that is a note.
std::string table(const std::vector<Row>& rows, size_t left) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const bool has_note = rows.front().back().empty();
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      const bool is_left = i < left || (has_note && i + 1 == row.size());
      line += (i > 0 ? "  " : "") + (is_left ? row[i] + padding : padding + row[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::vector<Row> second_rows(const Report& report) {
  std::vector<Row> rows = {
      {"second", "sent", "received", "lost", "late", "jitter", "delay", "delay max", "MOS"}};
  for (const TotalSecond& second : report.seconds) {
    rows.push_back({std::to_string(second.second), grouped(second.sent), grouped(second.received),
                    grouped(second.lost), grouped(second.late), ms_text(second.jitter_us),
                    ms_text(second.delay_us), ms_text(static_cast<double>(second.delay_max_us)),
                    second.mos == 0 ? "-" : mos_text(second.mos)});
  }
  return rows;
}

std::string verbose_text(const Report& report) {
  std::string text;
  if (!report.seconds.empty()) text += "\n" + table(second_rows(report), 1);
  std::vector<const Caller*> all;
  for (const Caller& caller : report.callers) all.push_back(&caller);
  if (!all.empty()) text += "\n" + table(caller_rows(all, report), 2);
  return text;
}

// --- Markdown ---

// Foreign text within a line of Markdown, within a table too.
std::string plain(const std::string& text) {
  std::string safe;
  for (const char c : base::one_line(text)) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else {
      if (std::string_view(R"(\`*_[]|#~@!)").find(c) != std::string_view::npos) safe += '\\';
      safe += c;
    }
  }
  return safe;
}

std::string markdown_table(const std::vector<Row>& rows, size_t left) {
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const std::string& cell : rows[i]) text += "| " + plain(cell) + " ";
    text += "|\n";
    if (i > 0) continue;
    for (size_t column = 0; column < rows[i].size(); ++column) {
      text += column < left || rows[i][column].empty() ? "|---" : "|---:";
    }
    text += "|\n";
  }
  return text + "\n";
}

// --- CSV ---

constexpr const char* kCsvHeader =
    "client,address,seen_as,sent,send_errors,send_error,received,lost,loss_percent,duplicated,"
    "reordered,late,delay_mean_ms,delay_p50_ms,delay_p95_ms,delay_p99_ms,delay_max_ms,"
    "jitter_mean_ms,jitter_max_ms,back_sent,back_received,back_lost,back_duplicated,"
    "back_reordered,back_late,back_delay_p50_ms,back_delay_p99_ms,back_jitter_mean_ms,rtt_p50_ms,"
    "rtt_p99_ms,r,mos\r\n";
constexpr size_t kOutColumns = 13;   // from received to jitter_max_ms
constexpr size_t kBackColumns = 11;  // from back_sent to rtt_p99_ms

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return '"' + base::replace_all(text, "\"", "\"\"") + '"';
}

std::string ms(double us) {
  return fmt::format("{:.3f}", us / 1000);
}

std::string ms(int64_t us) {
  return ms(static_cast<double>(us));
}

// An empty field is a figure that is not known.
std::string csv_out(const Caller& caller, bool is_known) {
  std::string nothing(kOutColumns, ',');
  if (!is_known) return nothing;
  const FlowCounts& counts = caller.out.counts;
  const Times& delay = caller.out.delay;
  return fmt::format(",{},{},{:.3f},{},{},{},{},{},{},{},{},{},{}", counts.received, caller.lost,
                     share_of(caller.lost, caller.sent) * 100, counts.duplicated, counts.reordered,
                     counts.late, ms(delay.mean_us), ms(delay.p50_us), ms(delay.p95_us),
                     ms(delay.p99_us), ms(delay.max_us), ms(caller.out.jitter_mean_us),
                     ms(caller.out.jitter_max_us));
}

std::string csv_back(const Caller& caller) {
  std::string nothing(kBackColumns, ',');
  if (!caller.has_back) return nothing;
  const FlowCounts& counts = caller.back.counts;
  return fmt::format(",{},{},{},{},{},{},{},{},{},{},{}", caller.back_sent, counts.received,
                     caller.back_lost, counts.duplicated, counts.reordered, counts.late,
                     ms(caller.back.delay.p50_us), ms(caller.back.delay.p99_us),
                     ms(caller.back.jitter_mean_us), ms(caller.rtt.p50_us), ms(caller.rtt.p99_us));
}

}  // namespace

std::string report_text(const Report& report, bool is_verbose) {
  std::string text = headline(report) + ".\n";
  const std::string from = origin(report);
  if (!from.empty()) text += from + "\n";
  text += "\n" + table(direction_rows(report), 1);
  const std::vector<Row> times = time_rows(report);
  if (times.size() > 1) text += "\n" + table(times, 1);
  const std::string rate = rate_text(report);
  if (!rate.empty()) text += "\nrate sent: " + rate + "\n";
  if (is_verbose && report.slept > 0) {
    text += "the sender slept " + percent(report.slept) + " of the time\n";
  }
  if (!report.verdict.sentences.empty()) text += "\n";
  for (const std::string& sentence : report.verdict.sentences) {
    text += "- " + base::wrap(sentence, 2, kWidth) + "\n";
  }
  const std::vector<const Caller*> worst = worst_callers(report);
  if (!worst.empty() && !is_verbose) {
    text += "\nworst callers:\n" + table(caller_rows(worst, report), 2);
  }
  if (is_verbose) text += verbose_text(report);
  if (!report.verdict.broken_limits.empty()) text += "\n";
  for (const std::string& limit : report.verdict.broken_limits) {
    text += "limit broken: " + limit + "\n";
  }
  return text;
}

std::string report_markdown(const Report& report) {
  std::string text = "**" + plain(headline(report)) + ".**\n\n";
  const std::string from = origin(report);
  if (!from.empty()) text += plain(from) + ".\n\n";
  text += markdown_table(direction_rows(report), 1);
  const std::vector<Row> times = time_rows(report);
  if (times.size() > 1) text += markdown_table(times, 1);
  const std::string rate = rate_text(report);
  if (!rate.empty()) text += "- rate sent: " + rate + "\n";
  if (report.slept > 0) text += "- the sender slept " + percent(report.slept) + " of the time\n";
  for (const std::string& sentence : report.verdict.sentences)
    text += "- " + plain(sentence) + "\n";
  for (const std::string& limit : report.verdict.broken_limits) {
    text += "- **limit broken:** " + plain(limit) + "\n";
  }
  const std::vector<const Caller*> worst = worst_callers(report);
  if (!worst.empty()) {
    text += "\nWorst callers:\n\n" + markdown_table(caller_rows(worst, report), 2);
  }
  return text;
}

std::string report_csv(const Report& report) {
  std::string text = kCsvHeader;
  for (const Caller& caller : report.callers) {
    text += fmt::format("{},{},{},{},{},{}", caller.client, quoted(caller.address),
                        quoted(caller.out.seen_as), caller.sent, caller.send_errors,
                        quoted(caller.send_error));
    text += csv_out(caller, report.has_receiver) + csv_back(caller);
    text += caller.mos == 0 ? ",," : fmt::format(",{:.1f},{:.2f}", caller.r, caller.mos);
    text += "\r\n";
  }
  return text;
}

}  // namespace udp
