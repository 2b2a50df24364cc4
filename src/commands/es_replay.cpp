#include "commands/es_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/es_options.hpp"
#include "commands/es_process.hpp"
#include "commands/es_stage.hpp"
#include "commands/report.hpp"
#include "eventstore/dead_letters.hpp"
#include "eventstore/file_source.hpp"

namespace commands {

namespace {

using eventstore::Place;
using eventstore::ProcessorSpec;

struct Letters {
  std::string path;   // where they are written
  std::string taken;  // the file that is worked on, as nobody writes into it
};

// Lines back into the file: of processors that `wants` names, behind a line.
void put_back(const Letters& letters,
              const std::function<bool(const std::string& processor, uint64_t line)>& wants) {
  std::ifstream file(letters.taken, std::ios::binary);
  std::string text;
  for (uint64_t line = 1; std::getline(file, text); ++line) {
    const bool is_empty = base::trim(text).empty();
    if (!is_empty && wants(eventstore::processor_of(text), line)) {
      eventstore::append_dead_letters(letters.path, text + "\n");
    }
  }
}

// A descriptor that holds them; -1 when there are none. One cut off by a crash left its file.
int take(const Letters& letters) {
  const base::Descriptor left(eventstore::hold_dead_letters(letters.taken));
  if (left.fd >= 0) {
    put_back(letters, [](const std::string&, uint64_t) { return true; });
    std::filesystem::remove(letters.taken);
  }
  return eventstore::take_dead_letters(letters.path, letters.taken);
}

std::set<std::string> processors_in(const Letters& letters) {
  std::set<std::string> names;
  std::ifstream file(letters.taken, std::ios::binary);
  std::string text;
  while (std::getline(file, text)) {
    if (!base::trim(text).empty()) names.insert(eventstore::processor_of(text));
  }
  return names;
}

// Why letters of this processor can't be run; "" when they can.
std::string problem_of(const std::string& name, const std::vector<ProcessorSpec>& specs,
                       const std::string& path) {
  if (name.empty()) return "lines that are no dead letters stay as they are";
  const auto spec = std::find_if(specs.begin(), specs.end(),
                                 [&](const ProcessorSpec& one) { return one.name == name; });
  if (spec == specs.end())
    return fmt::format("{} has no processor {}; its letters stay", path, name);
  if (!spec->keeps_value) return "";
  return fmt::format(
      "{} keeps a running value, which belongs to its place in the stream; its "
      "letters stay",
      name);
}

eventstore::RunnerOptions runner_for(const ProcessorSpec& spec, const Letters& letters,
                                     EsStage& stage, const OnNotice& on_notice) {
  eventstore::RunnerOptions one;
  one.spec = spec;
  one.spec.types.clear();  // they were of its types
  one.spec.skip_bad_events = true;
  one.spec.dead_letter = letters.path;
  stage.equip(one);
  one.takes = [](const eventstore::Event&) { return true; };
  one.fresh = [] { return Place(); };
  one.open = [path = letters.taken, name = spec.name](const Place& from) {
    return std::make_unique<eventstore::FileSource>(path, from, name);
  };
  one.on_notice = on_notice;
  return one;
}

}  // namespace

int replay_dead_letters(const Options& options, const OnNotice& on_notice) {
  base::stop_on_signals();
  const std::vector<ProcessorSpec> specs = read_specs(options);
  const std::string path = options.values("stream")[1];
  const Letters letters = {path, path + ".replaying"};
  const base::Descriptor held(take(letters));
  if (held.fd < 0) {
    throw base::Error(base::exit_missing_input, fmt::format("there are no dead letters: {} is not "
                                                            "there",
                                                            path));
  }
  EsStage stage(options);
  std::vector<eventstore::RunnerOptions> all;
  bool is_left = false;
  const std::set<std::string> found = processors_in(letters);
  std::set<std::string> names = found;
  for (const std::string& name : found) {
    const std::string problem = problem_of(name, specs, options.text("processors"));
    if (problem.empty()) continue;
    report_error(options.env(), kEsTail, {base::exit_answer_no, problem});
    names.erase(name);
    is_left = true;
  }
  for (const ProcessorSpec& spec : specs) {
    if (names.count(spec.name) > 0) all.push_back(runner_for(spec, letters, stage, on_notice));
  }
  std::map<std::string, uint64_t> lines;  // of each processor all up to this one are settled
  for (const EsStage::Ended& one : stage.run(std::move(all))) {
    const bool is_whole = !one.error && !base::stop_asked();
    lines[one.name] = is_whole ? UINT64_MAX : one.place.revision;
    is_left = is_left || !is_whole || one.given_up > 0;
    on_notice(fmt::format("{}: {} events done, {} failed again", one.name, one.done, one.given_up));
  }
  put_back(letters, [&](const std::string& processor, uint64_t line) {
    const auto settled = lines.find(processor);
    return settled == lines.end() || line > settled->second;
  });
  std::filesystem::remove(letters.taken);
  return is_left ? base::exit_answer_no : base::exit_ok;
}

}  // namespace commands
