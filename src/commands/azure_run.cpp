#include "commands/azure_run.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <memory>

#include "azure/rights.hpp"
#include "base/file.hpp"
#include "base/random.hpp"
#include "base/schedule.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
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
constexpr int64_t kStateEveryMs = 1'000;
constexpr int64_t kNapMs = 200;

// What there is while scripts run.
struct Fleet {
  const Options& options;
  AzureOutput& output;
  azure::Arm arm;
  azure::Job job;
  std::vector<std::unique_ptr<azure::Run>> runs;
  std::vector<std::string> names;  // of their machines
  std::vector<net::Http> https;    // one a thread
};

// After a stop was asked for, what is being waited for is given up, unless it ends something.
class Stopping {
 public:
  void end_things() { is_ending_ = true; }

  void check() const {
    if (base::stop_asked() && !is_ending_) {
      throw base::Error(base::exit_interrupted, "interrupted");
    }
  }

 private:
  std::atomic<bool> is_ending_ = false;
};

// A start of a script is waited for: else nobody would know whether it runs.
net::Http stoppable(const net::Http& http, const Stopping& stopping) {
  return [http, &stopping](const net::HttpRequest& request) {
    if (!request.repeatable) return http(request);
    net::HttpRequest watched = request;
    watched.on_progress = [&stopping](int64_t /*sent_bytes*/) { stopping.check(); };
    return http(watched);
  };
}

base::Clock stoppable(base::Clock clock, const Stopping& stopping) {
  clock.sleep_ms = [sleep = clock.sleep_ms, &stopping](int64_t ms) {
    for (int64_t slept = 0; slept < ms; slept += kNapMs) {
      stopping.check();
      sleep(std::min(kNapMs, ms - slept));
    }
  };
  return clock;
}

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

std::vector<azure::Machine> machines_of(const Fleet& fleet) {
  std::vector<azure::Machine> machines;
  for (const auto& run : fleet.runs) machines.push_back(run->machine());
  return machines;
}

Ran ran(const Fleet& fleet, size_t thing) {
  const azure::Run& run = *fleet.runs[thing];
  return {fleet.names[thing], azure::resource_id(run.machine()), run.result()};
}

// What may go on without us, as a token; "" when nothing does.
std::string token_of(const Fleet& fleet) {
  std::vector<azure::Ticket> tickets;
  for (const auto& run : fleet.runs) {
    if (const std::optional<azure::Ticket> ticket = run->ticket()) tickets.push_back(*ticket);
  }
  return tickets.empty() ? "" : azure::write_tickets(tickets);
}

size_t read_concurrency(const Options& options) {
  return static_cast<size_t>(options.number("concurrency", 1, 10'000));
}

size_t most_failures(const Options& options) {
  if (options.toggle("fail-fast")) return 1;
  if (!options.is_on("max-failures")) return SIZE_MAX;
  return static_cast<size_t>(options.number("max-failures", 0, 1'000'000)) + 1;
}

// Steps all runs until they are over, or somebody wants to stop.
void run_all(Fleet& fleet) {
  AzureOutput& output = fleet.output;
  const int64_t began_ms = fleet.arm.clock.monotonic_ms();
  const size_t most = most_failures(fleet.options);
  size_t failures = 0;
  int64_t shown_ms = -kStateEveryMs;
  base::Schedule schedule;
  schedule.things = fleet.runs.size();
  schedule.most_at_once = read_concurrency(fleet.options);
  schedule.threads = fleet.https.size();
  schedule.step = [&](size_t thing, size_t thread) {
    return fleet.runs[thing]->step(fleet.https[thread]);
  };
  schedule.on_over = [&](size_t thing) {
    output.over(ran(fleet, thing));
    const azure::Outcome outcome = fleet.runs[thing]->result().outcome;
    const bool is_well =
        outcome == azure::Outcome::succeeded || outcome == azure::Outcome::detached;
    failures += is_well ? 0 : 1;
    return failures < most;
  };
  schedule.on_tick = [&](size_t running, size_t over) {
    const int64_t passed_ms = fleet.arm.clock.monotonic_ms() - began_ms;
    if (passed_ms - shown_ms >= kStateEveryMs) {
      shown_ms = passed_ms;
      output.state(schedule.things == 1
                       ? fmt::format("{}: running, {} s", fleet.names.front(), passed_ms / 1000)
                       : fmt::format("{} of {} over, {} running, {} s", over, schedule.things,
                                     running, passed_ms / 1000));
    }
    return !base::stop_asked();
  };
  base::run_schedule(schedule);
  output.state("");
}

// After a stop was asked for: ends what can be ended. Scripts of actions can't.
void end_all(Fleet& fleet) {
  const base::Error why(base::exit_interrupted, "interrupted; Azure was told to end the script");
  std::vector<size_t> ending;
  for (size_t i = 0; i < fleet.runs.size(); ++i) {
    if (fleet.runs[i]->cancel(why)) ending.push_back(i);
  }
  if (ending.empty()) return;
  base::Schedule schedule;
  schedule.things = ending.size();
  schedule.most_at_once = ending.size();
  schedule.threads = fleet.https.size();
  schedule.step = [&](size_t thing, size_t thread) {
    return fleet.runs[ending[thing]]->step(fleet.https[thread]);
  };
  schedule.on_over = [&](size_t thing) {
    fleet.output.over(ran(fleet, ending[thing]));
    return true;
  };
  schedule.on_tick = [](size_t, size_t) { return true; };
  base::run_schedule(schedule);
}

void tell_of_token(const Fleet& fleet, const std::string& token) {
  std::vector<std::string> names;
  for (size_t i = 0; i < fleet.runs.size(); ++i) {
    if (fleet.runs[i]->ticket()) names.push_back(fleet.names[i]);
  }
  if (names.size() > 5) {
    names = {names[0], names[1], names[2], fmt::format("and {} more", names.size() - 3)};
  }
  report_progress(kAzureRun, fmt::format("may still run on {}; to follow it: {} {} --attach {}",
                                         base::join(names, ", "), PRODUCT_NAME, kAzureRun, token));
}

// Everything after the last step. Returns the exit code.
int tell(const Fleet& fleet, Shape shape) {
  const base::Env& env = fleet.options.env();
  std::vector<Ran> all;
  for (size_t i = 0; i < fleet.runs.size(); ++i) all.push_back(ran(fleet, i));
  const std::string token = token_of(fleet);
  const bool is_remote = base::trim(fleet.options.text("exit-code")) == "remote";
  tell_all({[&] {
              if (shape != Shape::json) return;
              json::Object object;
              for (const Ran& ran : all) object.push_back({ran.name, result_json(ran, true)});
              print_json(env, json::write(object) + "\n");
            },
            [&] {
              if (fleet.job.detach && !token.empty()) print_text(env, token + "\n");
              if (!fleet.job.detach && !token.empty()) tell_of_token(fleet, token);
            },
            [&] {
              if (all.size() > 1) base::write_stderr(results_table(all));
            },
            [&] { write_azure_outputs(env, all); },
            [&] { write_output(env, "attach_token", token); },
            [&] { write_summary(env, results_markdown(all)); }, [&] { fleet.output.check(); }});
  return base::stop_asked() ? base::exit_interrupted : azure_exit_code(all, is_remote);
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

void begin_runs(Fleet& fleet, const azure::Where& where, const net::Http& http) {
  const std::string attach = base::trim(fleet.options.text("attach"));
  if (!attach.empty()) {
    const std::string text =
        attach == "-" ? base::read_file("-", kMostTokenBytes, "the token") : attach;
    for (const azure::Ticket& ticket : azure::read_tickets(text)) {
      fleet.job.full_output = fleet.job.full_output || ticket.full_output;
      fleet.runs.push_back(std::make_unique<azure::Run>(fleet.arm, fleet.job, ticket));
    }
    return;
  }
  for (const azure::Machine& machine : azure::find_machines(fleet.arm, http, where)) {
    fleet.runs.push_back(
        std::make_unique<azure::Run>(fleet.arm, fleet.job, machine, base::random_hex(kIdBytes)));
  }
}

void check_words(const Options& options) {
  const std::string word = base::trim(options.text("exit-code"));
  if (word != "answer" && word != "remote") {
    throw options.wrong_value("exit-code", "answer or remote");
  }
}

// A connection for each thread, once it is known how many machines there are.
void open_lines(Fleet& fleet, const Stopping& stopping) {
  const size_t threads =
      std::min({fleet.runs.size(), read_concurrency(fleet.options), kMostThreads});
  while (fleet.https.size() < threads) {
    fleet.https.push_back(stoppable(net::curl_http(curl_options(fleet.options)), stopping));
  }
}

void show_while_running(Fleet& fleet) {
  const std::vector<azure::Machine> machines = machines_of(fleet);
  fleet.names = azure::shown_names(machines);
  fleet.output.expect(machines);
  fleet.job.on_output = [&fleet](const azure::Machine& machine, bool is_errors,
                                 const std::string& text) {
    fleet.output.live(machine, is_errors, text);
  };
  fleet.job.on_notice = [&fleet](const azure::Machine& machine, const std::string& text) {
    fleet.output.notice(machine, text);
  };
}

int run(const Options& options) {
  check_azure_usage(options);
  check_words(options);
  const Shape shape = read_shape(options);
  const azure::Job job = read_job(options);
  const SignIn sign_in = read_sign_in(options);
  const bool attaches = options.is_on("attach");
  const azure::Where where = attaches ? azure::Where() : read_where(options, sign_in.subscription);
  base::stop_on_signals();
  Stopping stopping;
  AzureOutput output(options.env(), shape);
  Fleet fleet{options, output, make_arm(options, sign_in, output, stopping), job, {}, {}, {}};
  const net::Http http = stoppable(net::curl_http(curl_options(options)), stopping);
  if (options.toggle("check")) return run_check(options, fleet.arm, http, where);
  begin_runs(fleet, where, http);
  fleet.https.push_back(http);
  open_lines(fleet, stopping);
  show_while_running(fleet);
  run_all(fleet);
  if (base::stop_asked()) {
    stopping.end_things();
    end_all(fleet);
  }
  return tell(fleet, shape);
}

}  // namespace

Run add_azure_run(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, azure_options(), env);
  set_help(app, azure_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
