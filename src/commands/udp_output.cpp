#include "commands/udp_output.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/signals.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "json/write.hpp"
#include "udp/report_text.hpp"

namespace commands {

bool is_udp_json(const Options& options) {
  return options.choice("output") == "json";
}

void show_udp_report(const Options& options, const udp::Report& report) {
  const bool is_json = is_udp_json(options);
  const std::string text = is_json ? json::write(udp::report_json(report)) + "\n"
                                   : udp::report_text(report, options.toggle("verbose"));
  const std::string csv = options.text("csv");
  const std::string page = options.text("report");
  const std::string file = options.text("output-file");
  const auto tell_result = [&] {
    if (!file.empty()) return base::replace_file(file, text);
    if (is_json) return print_json(options.env(), text);
    print_text(options.env(), text);
  };
  // The files first: a reader of standard output may be gone. A full disk behind one keeps the
  // figures, for which somebody waited long, from no other.
  tell_all({[&] {
              if (!csv.empty()) base::replace_file(csv, udp::report_csv(report));
            },
            [&] {
              if (!page.empty()) base::replace_file(page, udp::report_html(report));
            },
            [&] { write_summary(options.env(), udp::report_markdown(report)); },
            [&] {
              const bool is_good = udp_exit_code(report) == base::exit_ok;
              write_output(options.env(), "ok", is_good ? "true" : "false");
            },
            tell_result});
}

int udp_exit_code(const udp::Report& report) {
  if (base::stop_asked()) return base::exit_interrupted;
  if (!report.has_receiver) return base::exit_unavailable;
  const bool is_good = report.verdict.is_valid && report.verdict.broken_limits.empty();
  return is_good ? base::exit_ok : base::exit_answer_no;
}

}  // namespace commands
