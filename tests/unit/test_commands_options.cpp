#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <map>

#include "base/error.hpp"
#include "commands/options.hpp"

using commands::Kind;
using commands::Source;
using Words = std::vector<std::string>;

namespace {

base::Env env_of(const std::map<std::string, std::string>& variables) {
  return [variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

const commands::Option kOption = {
    "G", "--retry-budget,--budget", "S", "OLD_BUDGET, BUDGET", "60", "about"};

}  // namespace

TEST_CASE("flag > action input > environment > default; empty means absent") {
  struct Row {
    std::string name;
    Words given;
    std::map<std::string, std::string> variables;
    Words values;
    Source source;
    std::string origin;
  };
  const std::map<std::string, std::string> all = {
      {"INPUT_RETRY-BUDGET", "2"}, {"INPUT_BUDGET", "3"}, {"OLD_BUDGET", "4"}, {"BUDGET", "5"}};
  const Row rows[] = {
      {"flag", {"1"}, all, {"1"}, Source::flag, "--retry-budget"},
      {"flag twice", {"1", "7"}, all, {"1", "7"}, Source::flag, "--retry-budget"},
      {"empty flag", {""}, all, {"2"}, Source::input, "INPUT_RETRY-BUDGET"},
      {"input", {}, all, {"2"}, Source::input, "INPUT_RETRY-BUDGET"},
      {"an alias is no input",
       {},
       {{"INPUT_BUDGET", "3"}, {"BUDGET", "5"}},
       {"5"},
       Source::environment,
       "BUDGET"},
      {"empty input",
       {},
       {{"INPUT_RETRY-BUDGET", ""}, {"BUDGET", "5"}},
       {"5"},
       Source::environment,
       "BUDGET"},
      {"first variable",
       {},
       {{"OLD_BUDGET", "4"}, {"BUDGET", "5"}},
       {"4"},
       Source::environment,
       "OLD_BUDGET"},
      {"second variable",
       {},
       {{"OLD_BUDGET", ""}, {"BUDGET", "5"}},
       {"5"},
       Source::environment,
       "BUDGET"},
      {"underscores are another input",
       {},
       {{"INPUT_RETRY_BUDGET", "9"}},
       {"60"},
       Source::fallback,
       "--retry-budget"},
      {"default", {}, {}, {"60"}, Source::fallback, "--retry-budget"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const commands::Setting setting = commands::resolve(kOption, row.given, env_of(row.variables));
    CHECK(setting.values == row.values);
    CHECK(setting.source == row.source);
    CHECK(setting.origin == row.origin);
  }
}

namespace {

// The options as a command line sets them.
struct Parsed {
  CLI::App app;
  commands::Options options;

  explicit Parsed(Words arguments, const std::map<std::string, std::string>& variables = {})
      : options(app,
                {{"G", "--name", "N", "NAME", "", ""},
                 {"G", "--pages", "LIST", "PAGES", "", ""},
                 {"G", "--route", "LINES", "", "", "", Kind::lines},
                 {"G", "--dry-run", "", "DRY", "", "", Kind::toggle},
                 {"G", "--count", "N", "", "4", ""},
                 {"G", "--retries", "0|5|RAPID", "", "5", "", Kind::choice}},
                env_of(variables)) {
    app.parse(Words(arguments.rbegin(), arguments.rend()));
  }
};

}  // namespace

TEST_CASE("texts and lists") {
  CHECK(Parsed({"--name", "a", "--name=b"}).options.text("name") == "b");
  CHECK(Parsed({"--name", "[x]"}).options.text("name") == "[x]");
  CHECK(Parsed({"--name=--y"}).options.text("name") == "--y");
  CHECK(Parsed({}).options.text("name").empty());
  CHECK(Parsed({"--pages", "a, b\nc,,", "--pages", "d"}).options.list("pages") ==
        Words{"a", "b", "c", "d"});
  CHECK(Parsed({"--pages", " , "}, {{"PAGES", "x"}}).options.list("pages").empty());
  CHECK(Parsed({"--route", "a,b=#c\n d=#e "}).options.list("route") == Words{"a,b=#c", "d=#e"});
}

TEST_CASE("toggles") {
  struct Row {
    Words arguments;
    std::string variable;
    bool on;
  };
  const Row rows[] = {{{}, "", false},
                      {{"--dry-run"}, "", true},
                      {{"--dry-run=false"}, "true", false},
                      {{"--dry-run=off"}, "", false},
                      {{}, "true", true},
                      {{}, " YES ", true},
                      {{}, "1", true},
                      {{}, "0", false},
                      {{}, "No", false}};
  for (const Row& row : rows) {
    CAPTURE(row.variable);
    CHECK(Parsed(row.arguments, {{"DRY", row.variable}}).options.toggle("dry-run") == row.on);
  }
  CHECK_THROWS_WITH_AS(Parsed({}, {{"DRY", "maybe"}}).options.toggle("dry-run"),
                       "DRY is 'maybe', but must be true or false", base::Error);
}

TEST_CASE("numbers") {
  CHECK(Parsed({"--count", "0"}).options.number("count", 0, 9) == 0);
  CHECK(Parsed({}).options.number("count", 0, 9) == 4);
  for (const std::string text : {"10", "-1", "1x", "1.5", "0x1", "99999999999999999999", "+"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Parsed({std::string("--count=") + text}).options.number("count", 0, 9),
                    base::Error);
  }
}

TEST_CASE("a choice: a declared word, in any case and spaces") {
  CHECK(Parsed({}).options.choice("retries") == "5");
  CHECK(Parsed({"--retries", " rapid "}).options.choice("retries") == "RAPID");
  CHECK_THROWS_WITH_AS(Parsed({"--retries", "6"}).options.choice("retries"),
                       "--retries is '6', but must be 0, 5 or RAPID", base::Error);
  CHECK_THROWS_AS(Parsed({"--retries", "0|5"}).options.choice("retries"), base::Error);
}

TEST_CASE("an option nobody declared is our bug") {
  CHECK_THROWS_AS(Parsed({}).options.text("nmae"), base::Error);
}
