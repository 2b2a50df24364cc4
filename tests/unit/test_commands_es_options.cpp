#include "commands/es_options.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/es_source.hpp"
#include "commands/es_stage.hpp"
#include "eventstore_runner_stage.hpp"

using commands::EsJob;
using Words = std::vector<std::string>;

namespace {

struct Parsed {
  CLI::App app;
  commands::Options options;

  explicit Parsed(const std::string& line)
      : options(app, commands::es_options(), [](const std::string&) { return std::string(); }) {
    Words words = line.empty() ? Words() : base::split(line, ' ');
    app.parse(Words(words.rbegin(), words.rend()));
  }
};

// "tail", or "64 the words".
std::string job_of(const std::string& line) {
  static const char* const kNames[] = {"tail", "process", "list", "set", "reset", "replay"};
  try {
    return kNames[static_cast<int>(read_es_job(Parsed(line).options))];
  } catch (const base::Error& error) {
    return fmt::format("{} {}", static_cast<int>(error.code()), error.what());
  }
}

// What a source's options come to: "from the start", or "64 the words".
std::string source_of(const std::string& line) {
  try {
    const Parsed parsed(line);
    const commands::EsSource source(parsed.options, [](const std::string&) {});
    const auto& target = source.target();
    return fmt::format("{} x{}{}", source.name(), source.count(), target.filter ? " filtered" : "");
  } catch (const base::Error& error) {
    return fmt::format("{} {}", static_cast<int>(error.code()), error.what());
  }
}

commands::EsStage::Ended ended(int code) {
  commands::EsStage::Ended one;
  if (code != 0) one.error = base::Error(static_cast<base::ExitCode>(code), "no");
  return one;
}

}  // namespace

TEST_CASE("what the first words ask for") {
  struct {
    std::string line;
    std::string job;
  } const rows[] = {
      {"orders", "tail"},
      {"--all", "tail"},
      {"--from-file x", "tail"},
      {"replay", "tail"},       // a stream may have this name
      {"checkpoints", "tail"},  // and this one
      {"orders --processors p.yaml", "process"},
      {"--from-file x --processors p.yaml --checkpoints c.db", "process"},
      {"--from-file - --processors p.yaml", "process"},
      {"orders --processors p.yaml --group g", "process"},
      {"checkpoints list --checkpoints c.db", "list"},
      {"checkpoints list --checkpoints c.db -J", "list"},
      {"checkpoints set p orders 7 --checkpoints c.db", "set"},
      {"checkpoints reset p --checkpoints c.db", "reset"},
      {"replay bad.jsonl --processors p.yaml", "replay"},
      {"replay bad.jsonl --processors p.yaml --drain-timeout 1s --quiet", "replay"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    CHECK(job_of(row.line) == row.job);
  }
}

TEST_CASE("what does not go together, or would have no effect, is refused") {
  const char* const lines[] = {
      "",
      "orders invoices",
      "orders --all",
      "orders --from-file x",
      "--all --from-file x",
      "--from-file x -o beginning",
      "--from-file x --url esdb://h",
      "--from-file x -e",
      "--from-file x --group g",
      "--from-file - --processors p.yaml --checkpoints c.db",
      "orders --processors p.yaml -J",
      "orders --processors p.yaml -f %d",
      "orders --processors p.yaml -c 5",
      "orders --processors p.yaml --output-file x",
      "orders --processors p.yaml --direction backwards",
      "orders --group g -o end",
      "orders --group g -e",
      "orders --group g --direction backwards",
      "orders --group g --processors p.yaml --checkpoints c.db",
      "orders -J -f %d",
      "--all --event-type A --event-type-regex B",
      "--all --event-type A --stream-prefix B",
      "orders --stream-prefix B",
      "orders --stream-regex B",
      "orders --checkpoints c.db",
      "orders --processors p.yaml --sync-interval 1s",
      "orders --fail-fast",
      "orders --group-buffer 5",
      "orders --drain-timeout 5s",
      "checkpoints list",
      "checkpoints list more --checkpoints c.db",
      "checkpoints set p orders --checkpoints c.db",
      "checkpoints reset --checkpoints c.db",
      "checkpoints reset p q --checkpoints c.db",
      "checkpoints forget p --checkpoints c.db",
      "checkpoints list --checkpoints c.db --url esdb://h",
      "checkpoints reset p --checkpoints c.db -J",
      "replay bad.jsonl",
      "replay bad.jsonl --processors p.yaml -o end",
      "replay bad.jsonl --processors p.yaml --checkpoints c.db",
      "replay bad.jsonl --processors p.yaml --url esdb://h",
  };
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(job_of(line).starts_with("64 "));
  }
}

TEST_CASE("where events come from") {
  struct {
    std::string line;
    std::string outcome;  // its beginning
  } const rows[] = {
      {"orders", "orders x9223372036854775807"},
      {"$all", "$all x9223372036854775807"},
      {"--all --event-type Order", "$all x9223372036854775807 filtered"},
      {"orders --event-type Order", "orders x9223372036854775807"},
      {"--from-file e.jsonl --stream-prefix a", "file:e.jsonl x9223372036854775807"},
      {"orders -c 5", "orders x5"},
      {"orders -c 0", "64 "},
      {"orders -c 9223372036854775808", "64 "},
      {"orders --direction sideways", "64 "},
      {"orders --direction backwards -o end", "orders"},
      {"orders --direction backwards -o 7", "orders"},
      {"orders --direction backwards -o beginning", "64 "},
      {"orders --direction backwards -o -5", "64 "},
      {"orders --direction backwards -o @5", "64 "},
      {"orders -o x", "64 "},
      {"orders -o 1/2", "64 "},
      {"--all -o 1/2", "$all"},
      {"--all -o -5", "$all"},
      {"--all -o 5", "64 "},
      {"--all -o @2026-11-25", "64 --all can't be searched by time"},
      {"orders --event-type-regex (", "64 "},
      {"orders --max-downtime x", "64 "},
      {"orders --url http://h", "64 "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    CHECK(source_of(row.line).starts_with(row.outcome));
  }
}

TEST_CASE("how a command with several processors ends") {
  struct {
    std::vector<int> codes;
    int outcome;
  } const rows[] = {
      {{}, 0},        {{0}, 0},     {{0, 0}, 0},  {{1}, 1},      {{74}, 74},
      {{75, 75}, 75}, {{0, 77}, 1}, {{77, 0}, 1}, {{66, 69}, 1}, {{0, 1, 0}, 1},
  };
  for (const auto& row : rows) {
    std::vector<commands::EsStage::Ended> all;
    for (const int code : row.codes) all.push_back(ended(code));
    CHECK(commands::exit_code_of(all) == row.outcome);
  }
}

TEST_CASE("every option has a group, a help text, and a name of its own") {
  std::set<std::string> names;
  for (const commands::Option& option : commands::es_options()) {
    CHECK_FALSE(option.group.empty());
    CHECK_FALSE(option.help.empty());
    for (const std::string& name : base::split(option.names, ',')) {
      CAPTURE(name);
      CHECK(names.insert(name).second);
    }
  }
}
