#include "commands/udp_load.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/look.hpp"
#include "commands/report.hpp"
#include "commands/udp_check.hpp"
#include "commands/udp_client.hpp"
#include "commands/udp_options.hpp"
#include "commands/udp_output.hpp"
#include "commands/udp_server.hpp"
#include "json/read.hpp"
#include "udp/report_text.hpp"
#include "udp/routes.hpp"

namespace commands {

namespace {

constexpr size_t kMostReportBytes = size_t{1} << 30U;
constexpr int64_t kMostTable = 2'000'000'000;
constexpr uint32_t kMostTunnels = 100'000;

int print_routes(const Options& options) {
  const std::vector<std::string> servers = options.list("server");
  udp::CallerChoice choice;
  choice.interfaces = options.text("interfaces");
  const bool is_ipv6 = !servers.empty() && servers.front().find(':') != std::string::npos;
  const std::vector<udp::From> tunnels =
      udp::callers_from(choice, kMostTunnels, is_ipv6, udp::local_addresses());
  print_text(options.env(), udp::route_commands({.servers = servers,
                                                 .first_table = static_cast<uint32_t>(
                                                     options.number("first-table", 1, kMostTable)),
                                                 .remove = options.toggle("remove")},
                                                tunnels));
  return base::exit_ok;
}

int merge(const Options& options) {
  std::vector<std::string> names = options.list("job");
  names.erase(names.begin());
  const udp::Limits limits = read_udp_limits(options);
  is_udp_json(options);
  std::vector<udp::Report> reports;
  reports.reserve(names.size());
  std::map<std::string, std::string> names_of;  // by what is in the file
  for (const std::string& name : names) {
    const std::string bytes = base::read_file(name, kMostReportBytes, "the report");
    const auto [seen, is_new] = names_of.try_emplace(bytes, name);
    if (!is_new) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("{} and {} are the same report, its packets would count twice; "
                                    "give it once",
                                    seen->second, name));
    }
    reports.push_back(udp::read_report(json::parse(bytes, name), name));
  }
  udp::Report all = udp::merge_reports(reports, names);
  udp::judge_merged(all, std::move(reports), names, limits);
  show_udp_report(options, all);
  return udp_exit_code(all);
}

int run(const Options& options) {
  const UdpJob job = read_udp_job(options);
  if (options.toggle("check")) return check_udp_load(options, job);
  for (const char* name : {"output-file", "csv", "report"}) {
    // Not only when the test is over, which nobody wants to wait for twice.
    if (!options.text(name).empty()) base::look_writable(options.text(name));
  }
  switch (job) {
    case UdpJob::client:
      return run_udp_client(options);
    case UdpJob::server:
      return run_udp_server(options);
    case UdpJob::demo:
      return run_udp_demo(options);
    case UdpJob::routes:
      return print_routes(options);
    case UdpJob::merge:
      return merge(options);
  }
  throw base::Error(base::exit_our_bug, "no such job");
}

}  // namespace

Run add_udp_load(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, udp_options(), env);
  set_help(app, udp_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
