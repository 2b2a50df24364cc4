#include "commands/azure_fleet.hpp"

#include <fmt/format.h>

#include "base/schedule.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/azure_options.hpp"

namespace commands {

namespace {

constexpr int64_t kStateEveryMs = 1'000;
constexpr size_t kMostNames = 5;

Ran ran(const Fleet& fleet, size_t thing) {
  const azure::Run& run = *fleet.runs[thing];
  return {fleet.names[thing], azure::resource_id(run.machine()), run.result()};
}

// Steps all runs until they are over, or somebody wants to stop.
void run_all(Fleet& fleet) {
  AzureOutput& output = fleet.output;
  const int64_t began_ms = fleet.arm.clock.monotonic_ms();
  size_t failures = 0;
  int64_t shown_ms = -kStateEveryMs;
  base::Schedule schedule;
  schedule.things = fleet.runs.size();
  schedule.most_at_once = fleet.most_at_once;
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
    return failures < fleet.most_failures;
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
  // Those that ran, and were fetching the rest of their output.
  for (size_t i = 0; i < fleet.runs.size(); ++i) {
    if (!fleet.runs[i]->is_over() && ran(fleet, i).result.outcome != azure::Outcome::pending)
      fleet.output.over(ran(fleet, i));
  }
}

}  // namespace

void show_fleet(Fleet& fleet) {
  std::vector<azure::Machine> machines;
  for (const auto& run : fleet.runs) machines.push_back(run->machine());
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

void run_fleet(Fleet& fleet, Stopping& stopping) {
  run_all(fleet);
  if (!base::stop_asked()) return;
  stopping.end_things();
  end_all(fleet);
}

std::vector<Ran> results_of(const Fleet& fleet) {
  std::vector<Ran> all;
  for (size_t i = 0; i < fleet.runs.size(); ++i) all.push_back(ran(fleet, i));
  return all;
}

std::string token_of(const Fleet& fleet) {
  std::vector<azure::Ticket> tickets;
  for (const auto& run : fleet.runs) {
    if (const std::optional<azure::Ticket> ticket = run->ticket()) tickets.push_back(*ticket);
  }
  return tickets.empty() ? "" : azure::write_tickets(tickets);
}

std::string token_hint(const Fleet& fleet, const std::string& token) {
  std::vector<std::string> names;
  for (size_t i = 0; i < fleet.runs.size(); ++i) {
    if (fleet.runs[i]->ticket()) names.push_back(fleet.names[i]);
  }
  if (names.size() > kMostNames) {
    names = {names[0], names[1], names[2], fmt::format("and {} more", names.size() - 3)};
  }
  return fmt::format("may still run on {}; to follow it: {} {} --attach {}",
                     base::join(names, ", "), PRODUCT_NAME, kAzureRun, token);
}

}  // namespace commands
