// A runner with a scripted source, and checkpoints in a folder that is gone at the end.
#pragma once

#include <filesystem>

#include "base/random.hpp"
#include "base/text.hpp"
#include "eventstore/runner.hpp"
#include "eventstore_lane_stage.hpp"
#include "eventstore_server.hpp"
#include "store/sqlite.hpp"

namespace eventstore_runner_stage {

using eventstore::Came;
using eventstore::Place;
using eventstore::Runner;
using eventstore_lane_stage::Event;
using eventstore_lane_stage::event_of;
using eventstore_lane_stage::Gate;
using eventstore_lane_stage::Log;
using eventstore_lane_stage::Worker;
using eventstore_server::text_of;

inline Place after(uint64_t revision) {
  return {Place::Kind::after, revision, {}};
}

struct Folder {
  std::string path = "/tmp/unit-" + base::random_hex(8);
  Folder() { std::filesystem::create_directory(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

// What a source gives, one after the other: events "5", "6:Type", "7:Type:stream", "advanced 9",
// "caught up 9", "69 words" for an error. Behind them: the end, or nothing for ever.
class Script : public eventstore::Source {
 public:
  Script(std::vector<std::string> steps, bool ends, std::atomic<size_t>& given)
      : steps_(std::move(steps)), ends_(ends), given_(given) {}

  Came next(Event& event, int64_t wait_ms) override {
    if (at_ == steps_.size()) {
      if (ends_) return Came::end;
      if (wait_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return Came::nothing;
    }
    const std::string step = steps_[at_++];
    const size_t space = step.find(' ');
    if (step.starts_with("advanced ") || step.starts_with("caught up ")) {
      place_ = after(std::stoull(step.substr(step.rfind(' ') + 1)));
      return step[0] == 'a' ? Came::advanced : Came::caught_up;
    }
    if (space != std::string::npos) {
      throw base::Error(static_cast<base::ExitCode>(std::stoi(step)), step.substr(space + 1));
    }
    ++given_;
    const size_t colon = step.find(':');
    const size_t second = step.find(':', colon + 1);
    event = event_of(std::stoull(step));
    if (colon != std::string::npos) event.type = step.substr(colon + 1, second - colon - 1);
    if (colon != std::string::npos && second != std::string::npos) {
      event.stream = step.substr(second + 1);
    }
    place_ = after(event.revision);
    return Came::event;
  }
  Place place() const override { return place_; }

 private:
  std::vector<std::string> steps_;
  bool ends_;
  std::atomic<size_t>& given_;
  size_t at_ = 0;
  Place place_;
};

struct Stage {
  Folder folder;
  std::string file = folder.path + "/c.db";
  eventstore_lane_stage::Time time;
  Log log;  // "opened(after)", "1", notices in <>
  std::atomic<bool> stop = false;
  std::atomic<size_t> given = 0;  // events, by the source
  std::vector<std::string> steps;
  bool ends = true;
  std::function<void(const Event&)> work = [](const Event&) {};
  store::Checkpoints checkpoints{file};
  eventstore::RunnerOptions options;
  std::unique_ptr<Runner> runner;

  Stage() {
    options.spec.name = "p";
    options.spec.types = {"T"};
    options.spec.attempts = 2;
    options.spec.make = [this](const eventstore::Surroundings&) {
      return std::make_unique<Worker>([this](const Event& event) {
        work(event);
        log.add(std::to_string(event.revision));
      });
    };
    options.clock = time.clock();
    options.around = [] { return eventstore::Surroundings(); };
    options.source_name = "orders";
    options.checkpoints = &checkpoints;
    options.takes = [](const Event&) { return true; };
    options.fresh = [] { return Place(); };
    options.open = [this](const Place& from) {
      const bool is_start = from.kind == Place::Kind::start;
      log.add(fmt::format("opened({})", is_start ? "start" : std::to_string(from.revision)));
      return std::make_unique<Script>(steps, ends, given);
    };
    options.stop = [this] { return stop.load(); };
    options.on_notice = [this](const std::string& text) { log.add("<" + text + ">"); };
    options.on_loss = options.on_notice;
  }

  // "" or "74 words".
  std::string run() {
    runner = std::make_unique<Runner>(options);
    const auto error = runner->run();
    return error ? fmt::format("{} {}", static_cast<int>(error->code()), error->what()) : "";
  }

  // "7", "7 state", "none".
  std::string saved() {
    const auto found = checkpoints.find("p", "orders");
    if (!found) return "none";
    return std::to_string(found->revision) + (found->state.empty() ? "" : " " + found->state);
  }

  // From now on no checkpoint can be written.
  void break_checkpoints() {
    const store::Database other = store::open_database(file, file, SQLITE_OPEN_READWRITE);
    store::execute(other, "DROP TABLE checkpoints");
  }

  void run_steps(const std::vector<std::string>& next) {
    steps = next;
    log.add("run:" + run());
  }
};

[[noreturn]] inline void refuse(base::ExitCode code = base::exit_bad_input) {
  throw base::Error(code, "no");
}

}  // namespace eventstore_runner_stage
