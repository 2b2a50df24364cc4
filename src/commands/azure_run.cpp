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
#include "commands/findings.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "commands/slack_options.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

constexpr size_t kMostThreads = 24;  // each waits for one reply at a time
constexpr size_t kIdBytes = 8;
constexpr size_t kMostTokenBytes = size_t{64} << 20U;
constexpr size_t kMostOutput = 500'000;    // GitHub takes 1 MB of outputs from a job
constexpr size_t kMostShownToken = 4'000;  // a terminal takes no longer line

azure::Arm make_arm(const Options& options, const SignIn& sign_in, AzureOutput& output,
                    Stopping& stopping) {
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
  line.on_secret = [&output](const std::string& secret) { output.secret(secret); };
  arm.tokens = std::make_shared<azure::TokenSource>(sign_in.credentials, sign_in.cloud, line);
  return arm;
}

json::Value all_json(const std::vector<Ran>& all) {
  json::Object object;
  for (const Ran& ran : all) object.push_back({ran.name, result_json(ran, true)});
  return object;
}

// A token of many machines is too long for a command line, so it is left in a file: "@FILE". The
// token itself where no file can be written.
std::string handy(const std::string& token, const base::Env& env) {
  if (token.size() <= kMostShownToken) return token;
  for (const std::string& folder :
       {env("RUNNER_TEMP"), env("TMPDIR"), std::string("/tmp"), std::string(".")}) {
    if (folder.empty()) continue;
    const std::string path =
        fmt::format("{}/{}-attach-{}", folder, PRODUCT_NAME, base::random_hex(kIdBytes));
    try {
      base::append_to_file(path, token + "\n");
      return "@" + path;
    } catch (const base::Error&) {  // the next one
    }
  }
  return token;
}

// How to follow what may be running, for a person.
std::string attach_hint(const std::string& handy_token, const Options& options) {
  std::string where;
  for (const char* name : {"cloud", "arm-endpoint", "authority"}) {
    if (options.is_given(name)) where += fmt::format(" --{} {}", name, options.text(name));
  }
  return fmt::format("to follow what goes on: {} {}{} --attach {}", PRODUCT_NAME, kAzureRun, where,
                     handy_token);
}

// Everything after the last step.
void tell(const Fleet& fleet, const Options& options, Shape shape, const std::vector<Ran>& all) {
  const base::Env& env = options.env();
  const std::string token = token_of(fleet);
  const bool needs_file = !fleet.job.detach || (token.size() > kMostOutput && in_actions(env));
  const std::string shown = needs_file ? handy(token, env) : token;
  AzureOutput& output = fleet.output;
  const auto tell_results = [&] {
    if (shape == Shape::json) output.json(all_json(all));
    for (const Ran& ran : all) {
      const bool is_untold = shape == Shape::jsonl && ran.result.outcome == azure::Outcome::pending;
      if (is_untold) output.json(result_json(ran, true));
    }
    if (shape == Shape::text && fleet.job.detach && !token.empty()) output.result(token + "\n");
  };
  tell_all({tell_results,
            [&] {
              if (all.size() > 1) output.table(results_table(all));
            },
            [&] {
              if (!token.empty() && !fleet.job.detach) output.progress(attach_hint(shown, options));
            },
            [&] { write_azure_outputs(env, all); },
            [&] { write_output(env, "attach_token", token.size() > kMostOutput ? shown : token); },
            [&] { write_summary(env, results_markdown(all)); }, [&] { output.end(); }});
}

Findings::Form form_of(Shape shape) {
  if (shape == Shape::text) return Findings::Form::text;
  return shape == Shape::json ? Findings::Form::array : Findings::Form::lines;
}

// What --check says of a script that it would run.
std::string look_at_script(const Options& options) {
  azure::Job job = read_job(options);
  read_content(options, job);
  if (!job.command.empty()) return job.command + " is a command of Azure's own";
  if (!job.script->remote_path.empty()) return job.script->remote_path + " is on the machine";
  return fmt::format("{} bytes", job.script->text.size());
}

int run_check(const Options& options, const azure::Arm& arm, const net::Http& http,
              const azure::Where& where) {
  const bool is_managed = options.toggle("managed");
  Findings findings(options.env(), form_of(read_shape(options)));
  if (has_content(options)) findings.look("script", [&] { return look_at_script(options); });
  std::vector<azure::Machine> machines;
  const auto sign_in = [&] {
    arm.tokens->token();
    return "";
  };
  const auto find = [&] {
    machines = azure::find_machines(arm, http, where);
    return "";
  };
  if (findings.look("sign-in", sign_in)) findings.look("machines", find);
  const std::vector<std::string> names = azure::shown_names(machines);
  for (size_t i = 0; i < machines.size(); ++i) {
    for (const azure::Finding& finding : azure::check_machine(arm, http, machines[i], is_managed)) {
      if (finding.code == base::exit_ok) {
        findings.ok(names[i], finding.text);
      } else {
        findings.wrong(names[i], {finding.code, finding.text});
      }
    }
  }
  return findings.end();
}

// A stop came before it was over, or before it was begun.
bool is_cut_short(const Ran& ran) {
  return ran.result.is_cut_short || ran.result.outcome == azure::Outcome::pending;
}

std::vector<azure::Ticket> read_attached(const Options& options) {
  const std::string text = base::trim(options.text("attach"));
  if (text.empty()) return {};
  const std::string path = text.starts_with('@') ? text.substr(1) : text;
  const bool is_file = text == "-" || text != path;
  return azure::read_tickets(is_file ? base::read_file(path, kMostTokenBytes, "the token") : text);
}

void attach_runs(Fleet& fleet, const std::vector<azure::Ticket>& tickets) {
  for (const azure::Ticket& ticket : tickets) {
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

int run(const Options& options) {
  check_azure_usage(options);
  const bool passes_code = options.choice("exit-code") == "remote";
  const Shape shape = read_shape(options);
  const auto most_at_once = static_cast<size_t>(options.number("concurrency", 1, 10'000));
  const size_t most_failures = read_most_failures(options);
  azure::Job job = read_job(options);
  if (!options.is_on("attach") && !options.toggle("check")) read_content(options, job);
  const SignIn sign_in = read_sign_in(options);
  const std::vector<azure::Ticket> attached = read_attached(options);
  const azure::Where where =
      attached.empty() ? read_where(options, sign_in.subscription) : azure::Where();

  base::stop_on_signals();
  Stopping stopping;
  const auto new_http = [&options, &stopping] {
    return stoppable(net::curl_http(curl_options(options)), stopping);
  };
  AzureOutput output(options.env(), shape);
  Fleet fleet{output, make_arm(options, sign_in, output, stopping), std::move(job), most_at_once,
              most_failures};
  fleet.https.push_back(new_http());
  if (options.toggle("check")) return run_check(options, fleet.arm, fleet.https.front(), where);
  fleet.arm.tokens->token();  // who can't sign in is told so once
  attach_runs(fleet, attached);
  if (attached.empty()) begin_runs(fleet, where, fleet.https.front());
  const size_t threads = std::min({fleet.runs.size(), most_at_once, kMostThreads});
  fleet.keeps_output = fleet.runs.size() == 1 || shape == Shape::json;
  while (fleet.https.size() < threads) fleet.https.push_back(new_http());
  show_fleet(fleet);
  run_fleet(fleet, stopping);
  const std::vector<Ran> all = results_of(fleet);
  tell(fleet, options, shape, all);
  const bool is_part =
      output.has_lost_output() || std::any_of(all.begin(), all.end(), is_cut_short);
  const bool is_stopped = base::stop_asked() && is_part;
  return is_stopped ? base::exit_interrupted : azure_exit_code(all, passes_code);
}

}  // namespace

Run add_azure_run(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, azure_options(), env);
  set_help(app, azure_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
