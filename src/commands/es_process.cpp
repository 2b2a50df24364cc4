#include "commands/es_process.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/es_options.hpp"
#include "commands/es_stage.hpp"
#include "json/read.hpp"
#include "store/checkpoints.hpp"

namespace commands {

namespace {

using eventstore::ProcessorSpec;

constexpr size_t kMostFileBytes = size_t{1} << 20U;

// Milliseconds; nothing for "none".
std::optional<int64_t> read_sync_ms(const Options& options) {
  const std::string word = base::trim(options.text("sync-interval"));
  if (word == "none") return std::nullopt;
  return options.duration_ms("sync-interval", 0);
}

}  // namespace

void check_together(const Options& options, const std::vector<ProcessorSpec>& specs) {
  if (options.text("from-file") == "-" && specs.size() > 1) {
    throw base::Error(base::exit_usage,
                      "each processor reads for itself, which standard input is not made for: give "
                      "--from-file a file");
  }
  if (!options.is_on("group")) return;
  const std::string path = options.text("processors");
  if (specs.size() > 1) {
    throw base::Error(base::exit_configuration,
                      fmt::format("{} has {} processors, but a group hands each event to one: "
                                  "give each processor a group and a process of its own",
                                  path, specs.size()));
  }
  if (specs.front().keeps_value) {
    throw base::Error(base::exit_configuration,
                      fmt::format("{}: {} keeps a running value, which a group's consumers can't "
                                  "share; run it without --group",
                                  path, specs.front().name));
  }
}

std::vector<ProcessorSpec> read_specs(const Options& options) {
  const std::string path = options.text("processors");
  const std::string text = base::read_file(path, kMostFileBytes, "the processors");
  return eventstore::read_processors(json::parse_yaml(text, path), path);
}

int run_processors(const Options& options, const OnNotice& on_notice) {
  base::stop_on_signals();
  const std::vector<ProcessorSpec> specs = read_specs(options);
  check_together(options, specs);
  const EsSource source(options, on_notice);
  const std::optional<int64_t> sync_ms = read_sync_ms(options);
  std::optional<store::Checkpoints> checkpoints;
  if (options.is_on("checkpoints") && sync_ms) checkpoints.emplace(options.text("checkpoints"));
  EsStage stage(options);
  std::vector<eventstore::RunnerOptions> all;
  for (const ProcessorSpec& spec : specs) {
    eventstore::RunnerOptions one;
    one.spec = spec;
    stage.equip(one);
    one.source_name = source.name();
    one.checkpoints = checkpoints ? &*checkpoints : nullptr;
    one.sync_ms = sync_ms.value_or(0);
    one.takes = [&source](const eventstore::Event& event) { return source.takes(event); };
    one.fresh = [&source] { return source.first_place(); };
    one.open = [&source, types = spec.types](const eventstore::Place& from) {
      return source.open(from, types);
    };
    if (!source.is_file() && !source.target().is_all()) {
      one.last = [&source] { return source.last_place(); };
    }
    if (options.is_on("group")) one.join = [&source] { return source.join(); };
    one.on_notice = on_notice;
    all.push_back(std::move(one));
  }
  const auto ended = stage.run(std::move(all));
  for (const EsStage::Ended& one : ended) {
    const std::string lost = one.given_up == 0 ? "" : fmt::format(", {} given up", one.given_up);
    on_notice(fmt::format("{}: {} events done{}", one.name, one.done, lost));
  }
  const int code = exit_code_of(ended);
  const bool is_cut = options.toggle("exit") && base::stop_asked();
  if (code != base::exit_ok || !is_cut) return code;
  on_notice("stopped before the end of the stream");
  return base::exit_interrupted;
}

}  // namespace commands
