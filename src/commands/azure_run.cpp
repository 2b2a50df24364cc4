#include "commands/azure_run.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "azure/rights.hpp"
#include "base/file.hpp"
#include "base/random.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/azure_fleet.hpp"
#include "commands/azure_options.hpp"
#include "commands/azure_results.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "commands/slack_options.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

constexpr size_t kMostThreads = 24;  // each waits for one reply at a time
constexpr size_t kIdBytes = 8;
constexpr size_t kMostTokenBytes = size_t{8} << 20U;

azure::Arm make_arm(const Options& options, const SignIn& sign_in, AzureOutput& output,
                    const Stopping& stopping) {
  const base::Env env = options.env();
  azure::Arm arm;
  arm.cloud = sign_in.cloud;
  arm.clock = stoppable(base::real_clock(), stopping);
  arm.retry_budget_ms = options.number("retry-budget", 0, 86'400) * 1000;
  arm.on_wait = [&output](const std::string& reason, int64_t wait_ms) {
    output.progress(fmt::format("{}; next attempt in {} s", reason, (wait_ms + 999) / 1000));
  };
  azure::TokenLine line;
  line.http = stoppable(net::curl_http(curl_options(options)), stopping);
  line.clock = arm.clock;
  line.retry_budget_ms = arm.retry_budget_ms;
  line.on_wait = arm.on_wait;
  line.on_secret = [env](const std::string& secret) { report_secret(env, secret); };
  arm.tokens = std::make_shared<azure::TokenSource>(sign_in.credentials, sign_in.cloud, line);
  return arm;
}

std::string all_json(const std::vector<Ran>& all) {
  json::Object object;
  for (const Ran& ran : all) object.push_back({ran.name, result_json(ran, true)});
  return json::write(object) + "\n";
}

// Everything after the last step.
void tell(const Fleet& fleet, const base::Env& env, Shape shape, const std::vector<Ran>& all) {
  const std::string token = token_of(fleet);
  tell_all({[&] {
              if (shape == Shape::json) print_json(env, all_json(all));
            },
            [&] {
              if (token.empty()) return;
              if (!fleet.job.detach) report_progress(kAzureRun, token_hint(fleet, token));
              if (fleet.job.detach && shape == Shape::text) print_text(env, token + "\n");
            },
            [&] {
              if (all.size() > 1) base::write_stderr(results_table(all));
            },
            [&] { write_azure_outputs(env, all); },
            [&] { write_output(env, "attach_token", token); },
            [&] { write_summary(env, results_markdown(all)); }, [&] { fleet.output.check(); }});
}

bool is_pending(const Ran& ran) {
  return ran.result.outcome == azure::Outcome::pending;
}

int run_check(const Options& options, const azure::Arm& arm, const net::Http& http,
              const azure::Where& where) {
  bool is_well = true;
  for (const azure::Machine& machine : azure::find_machines(arm, http, where)) {
    for (const azure::Finding& finding :
         azure::check_machine(arm, http, machine, options.toggle("managed"))) {
      is_well = is_well && finding.is_well;
      print_text(options.env(), fmt::format("{}: {}: {}\n", azure::short_name(machine),
                                            finding.is_well ? "ok" : "MISSING", finding.text));
    }
  }
  return is_well ? base::exit_ok : base::exit_refused;
}

std::string read_token(const Options& options) {
  const std::string text = base::trim(options.text("attach"));
  return text == "-" ? base::read_file("-", kMostTokenBytes, "the token") : text;
}

void attach_runs(Fleet& fleet, const std::string& token) {
  for (const azure::Ticket& ticket : azure::read_tickets(token)) {
    fleet.job.full_output = fleet.job.full_output || ticket.full_output;
    fleet.runs.push_back(std::make_unique<azure::Run>(fleet.arm, fleet.job, ticket));
  }
}

void begin_runs(Fleet& fleet, const azure::Where& where, const net::Http& http) {
  for (const azure::Machine& machine : azure::find_machines(fleet.arm, http, where)) {
    fleet.runs.push_back(
        std::make_unique<azure::Run>(fleet.arm, fleet.job, machine, base::random_hex(kIdBytes)));
  }
}

size_t read_most_failures(const Options& options) {
  if (options.toggle("fail-fast")) return 1;
  if (!options.is_on("max-failures")) return SIZE_MAX;
  return static_cast<size_t>(options.number("max-failures", 1, 1'000'000));
}

bool read_passes_code(const Options& options) {
  const std::string word = base::trim(options.text("exit-code"));
  if (word == "answer" || word == "remote") return word == "remote";
  throw options.wrong_value("exit-code", "answer or remote");
}

int run(const Options& options) {
  check_azure_usage(options);
  const bool passes_code = read_passes_code(options);
  const Shape shape = read_shape(options);
  const auto most_at_once = static_cast<size_t>(options.number("concurrency", 1, 10'000));
  const size_t most_failures = read_most_failures(options);
  const azure::Job job = read_job(options);
  const SignIn sign_in = read_sign_in(options);
  const bool attaches = options.is_on("attach");
  const azure::Where where = attaches ? azure::Where() : read_where(options, sign_in.subscription);

  base::stop_on_signals();
  Stopping stopping;
  const auto new_http = [&options, &stopping] {
    return stoppable(net::curl_http(curl_options(options)), stopping);
  };
  AzureOutput output(options.env(), shape);
  Fleet fleet{output, make_arm(options, sign_in, output, stopping), job, most_at_once,
              most_failures};
  fleet.https.push_back(new_http());
  if (options.toggle("check")) return run_check(options, fleet.arm, fleet.https.front(), where);
  if (attaches) {
    attach_runs(fleet, read_token(options));
  } else {
    begin_runs(fleet, where, fleet.https.front());
  }
  const size_t threads = std::min({fleet.runs.size(), most_at_once, kMostThreads});
  while (fleet.https.size() < threads) fleet.https.push_back(new_http());
  show_fleet(fleet);
  run_fleet(fleet, stopping);
  const std::vector<Ran> all = results_of(fleet);
  tell(fleet, options.env(), shape, all);
  const bool is_cut_short = base::stop_asked() && std::any_of(all.begin(), all.end(), is_pending);
  return is_cut_short ? base::exit_interrupted : azure_exit_code(all, passes_code);
}

}  // namespace

Run add_azure_run(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, azure_options(), env);
  set_help(app, azure_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
