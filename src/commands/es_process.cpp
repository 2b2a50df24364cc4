#include "commands/es_process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/es_options.hpp"
#include "commands/outlet.hpp"
#include "commands/report.hpp"
#include "eventstore/event_json.hpp"
#include "eventstore/runner.hpp"
#include "json/read.hpp"
#include "net/curl.hpp"
#include "store/checkpoints.hpp"

namespace commands {

namespace {

using eventstore::ProcessorSpec;
using eventstore::Runner;
using eventstore::RunnerOptions;

constexpr size_t kMostFileBytes = size_t{1} << 20U;
constexpr int64_t kLookEveryMs = 50;
constexpr int64_t kLastWaitMs = 5'000;

// What all processors of a run have in common: how it is stopped, and where they print.
class Stage {
 public:
  explicit Stage(const Options& options)
      : env_(options.env()),
        clock_(base::real_clock()),
        drain_ms_(options.duration_ms("drain-timeout", 0)),
        outlet_(env_, STDOUT_FILENO) {}

  bool is_stopped() const { return base::stop_asked() || ends_; }
  void end() { ends_ = true; }

  eventstore::Surroundings surroundings() {
    eventstore::Surroundings around;
    around.http = [http = net::curl_http({PRODUCT_NAME "/" PRODUCT_VERSION, env_, ""}),
                   this](net::HttpRequest request) {
      request.on_progress = [this](int64_t /*sent_bytes*/) {
        if (is_over()) throw base::Error(base::exit_interrupted, "a stop was asked for");
      };
      return http(request);
    };
    around.clock = clock_;
    around.env = env_;
    around.stop = [this] { return is_over(); };
    around.print = [this](std::string_view line) { print(line); };
    around.event_line = eventstore::append_event_json;
    around.environment = base::process_variables();
    return around;
  }

  void finish() {
    const std::lock_guard lock(print_mutex_);
    outlet_.end(clock_, kLastWaitMs);
  }

 private:
  // The time is over that a stop leaves for what has begun. It runs from the first look.
  bool is_over() {
    if (!is_stopped()) return false;
    int64_t none = 0;
    const int64_t now_ms = clock_.monotonic_ms();
    over_ms_.compare_exchange_strong(none, now_ms + drain_ms_);
    return now_ms >= over_ms_;
  }

  // What is not written does not count as done.
  void print(std::string_view line) {
    const std::lock_guard lock(print_mutex_);
    outlet_.take(fmt::format("{}\n", line));
    if (outlet_.is_behind()) {
      throw base::Error(base::exit_local_io, "nobody reads standard output");
    }
  }

  base::Env env_;
  base::Clock clock_;
  int64_t drain_ms_;
  std::atomic<bool> ends_ = false;
  std::atomic<int64_t> over_ms_ = 0;
  std::mutex print_mutex_;
  Outlet outlet_;
};

std::vector<ProcessorSpec> read_specs(const Options& options) {
  const std::string path = options.text("processors");
  const std::string text = base::read_file(path, kMostFileBytes, "the processors");
  std::vector<ProcessorSpec> specs =
      eventstore::read_processors(json::parse_yaml(text, path), path);
  if (options.is_on("group") && specs.size() > 1) {
    throw base::Error(base::exit_configuration,
                      fmt::format("{} has {} processors, but a group hands each event to one: "
                                  "give each processor a group and a process of its own",
                                  path, specs.size()));
  }
  if (options.is_on("group") && specs.front().keeps_value) {
    throw base::Error(base::exit_configuration,
                      fmt::format("{}: {} keeps a running value, which a group's consumers can't "
                                  "share; run it without --group",
                                  path, specs.front().name));
  }
  return specs;
}

// Milliseconds; nothing for "none".
std::optional<int64_t> read_sync_ms(const Options& options) {
  const std::string word = base::trim(options.text("sync-interval"));
  if (word == "none") return std::nullopt;
  return options.duration_ms("sync-interval", 0);
}

// A processor with its thread and what became of it.
struct Running {
  std::string name;
  std::unique_ptr<Runner> runner;
  std::thread thread;
  std::atomic<bool> has_ended = false;
  std::optional<base::Error> error;
};

// Runs them until all have ended. Who fails is told of at once.
std::vector<std::unique_ptr<Running>> run_all(std::vector<RunnerOptions> all, Stage& stage,
                                              const Options& options) {
  std::vector<std::unique_ptr<Running>> running;
  for (RunnerOptions& one : all) {
    auto& made = *running.emplace_back(std::make_unique<Running>());
    made.name = one.spec.name;
    made.runner = std::make_unique<Runner>(std::move(one));
  }
  const bool is_alone = running.size() == 1;
  for (const auto& one : running) {
    one->thread = std::thread([&stage, &options, is_alone, it = one.get()] {
      it->error = it->runner->run();
      it->has_ended = true;
      if (!it->error) return;
      if (options.toggle("fail-fast")) stage.end();
      const bool others_go_on = !is_alone && !stage.is_stopped();
      report_error(options.env(), kEsTail,
                   {it->error->code(), fmt::format("{}: {}{}", it->name, it->error->what(),
                                                   others_go_on ? " (the others go on)" : "")});
    });
  }
  for (const auto& one : running) one->thread.join();
  return running;
}

// 1 when processors failed in different ways.
int exit_code_of(const std::vector<std::unique_ptr<Running>>& running) {
  std::optional<int> code;
  for (const auto& one : running) {
    const int own = one->error ? one->error->code() : base::exit_ok;
    if (code && *code != own) return base::exit_answer_no;
    code = own;
  }
  return code.value_or(base::exit_ok);
}

}  // namespace

int run_processors(const Options& options, const OnNotice& on_notice) {
  base::stop_on_signals();
  const std::vector<ProcessorSpec> specs = read_specs(options);
  const EsSource source(options, on_notice);
  const std::optional<int64_t> sync_ms = read_sync_ms(options);
  std::optional<store::Checkpoints> checkpoints;
  if (options.is_on("checkpoints") && sync_ms) checkpoints.emplace(options.text("checkpoints"));
  Stage stage(options);
  std::vector<RunnerOptions> all;
  for (const ProcessorSpec& spec : specs) {
    RunnerOptions one;
    one.spec = spec;
    one.clock = base::real_clock();
    one.around = [&stage] { return stage.surroundings(); };
    one.source_name = source.name();
    one.checkpoints = checkpoints ? &*checkpoints : nullptr;
    one.sync_ms = sync_ms.value_or(0);
    one.takes = [&source](const eventstore::Event& event) { return source.takes(event); };
    one.fresh = [&source] { return source.first_place(); };
    one.open = [&source](const eventstore::Place& from) { return source.open(from); };
    if (options.is_on("group")) one.join = [&source] { return source.join(); };
    one.stop = [&stage] { return stage.is_stopped(); };
    one.on_notice = on_notice;
    all.push_back(std::move(one));
  }
  const auto running = run_all(std::move(all), stage, options);
  stage.finish();
  for (const auto& one : running) {
    on_notice(fmt::format("{}: {} events done", one->name, one->runner->done()));
  }
  return exit_code_of(running);
}

}  // namespace commands
