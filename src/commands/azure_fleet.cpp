#include "commands/azure_fleet.hpp"

#include <fmt/format.h>

#include "base/schedule.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/azure_options.hpp"

namespace commands {

namespace {

constexpr int64_t kStateEveryMs = 1'000;
constexpr int64_t kMostEndMs = 10'000;

Ran ran(const Fleet& fleet, size_t thing) {
  const azure::Run& run = *fleet.runs[thing];
  const std::optional<azure::Ticket> ticket = run.ticket();
  return {fleet.names[thing], azure::resource_id(run.machine()),
          ticket ? azure::write_tickets({*ticket}) : "", run.result()};
}

// Steps all runs until they are over, or somebody wants to stop.
void run_all(Fleet& fleet, const Stopping& stopping) {
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
    const Ran ended = ran(fleet, thing);
    output.over(ended);
    if (!is_well(ended)) ++failures;
    if (!fleet.keeps_output) fleet.runs[thing]->forget_output();
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
    if (base::stop_asked() && stopping.has_start()) {
      output.progress("stopping; Azure's answer to a start is waited for (Ctrl-C leaves it)");
    }
    return !base::stop_asked();
  };
  base::run_schedule(schedule);
  output.state("");
}

// After a stop was asked for: ends what can be ended, within a time. Scripts of actions go on.
void end_all(Fleet& fleet) {
  fleet.arm.retry_budget_ms = kMostEndMs;
  const base::Error why(base::exit_interrupted, "interrupted");
  std::vector<size_t> ending;
  for (size_t i = 0; i < fleet.runs.size(); ++i) {
    const bool was_over = fleet.runs[i]->is_over();
    if (fleet.runs[i]->cancel(why)) {
      ending.push_back(i);
    } else if (!was_over && fleet.runs[i]->is_over()) {
      fleet.output.over(ran(fleet, i));
    }
  }
  const int64_t end_ms = fleet.arm.clock.monotonic_ms() + kMostEndMs;
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
  schedule.on_tick = [&](size_t, size_t) { return fleet.arm.clock.monotonic_ms() < end_ms; };
  base::run_schedule(schedule);
  for (const size_t thing : ending) {
    if (fleet.runs[thing]->is_over()) continue;
    fleet.runs[thing]->abandon();
    fleet.output.over(ran(fleet, thing));
  }
}

}  // namespace

void show_fleet(Fleet& fleet) {
  std::vector<azure::Machine> machines;
  for (const auto& run : fleet.runs) machines.push_back(run->machine());
  fleet.names = azure::shown_names(machines);
  fleet.output.expect(machines, fleet.names);
  fleet.job.on_output = [&fleet](const azure::Machine& machine, bool is_errors,
                                 const std::string& text) {
    fleet.output.live(machine, is_errors, text);
  };
  fleet.job.on_notice = [&fleet](const azure::Machine& machine, const std::string& text) {
    fleet.output.notice(machine, text);
  };
}

void run_fleet(Fleet& fleet, Stopping& stopping) {
  run_all(fleet, stopping);
  if (!base::stop_asked()) return;
  stopping.end_things(kMostEndMs);
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

}  // namespace commands
