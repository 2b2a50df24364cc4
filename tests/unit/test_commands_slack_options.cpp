#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <map>

#include "base/error.hpp"
#include "commands/slack_options.hpp"

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

namespace {

std::vector<commands::Option> table() {
  std::vector<commands::Option> rows = commands::delivery_options();
  for (const auto& row : commands::looks_options()) rows.push_back(row);
  return rows;
}

struct Parsed {
  CLI::App app;
  commands::Options options;

  explicit Parsed(Words arguments, const Variables& variables = {})
      : options(app, table(), [variables](const std::string& name) {
          const auto found = variables.find(name);
          return found == variables.end() ? std::string() : found->second;
        }) {
    app.parse(Words(arguments.rbegin(), arguments.rend()));
  }
};

// "webhook", "token", "none", or the exit code.
std::string way(const Words& arguments, const Variables& variables, bool named_channels = false) {
  try {
    const auto delivery =
        commands::read_delivery(Parsed(arguments, variables).options, named_channels);
    CHECK((delivery.sender.webhook.empty() || delivery.sender.token.empty()));
    if (!delivery.sender.webhook.empty()) return "webhook";
    return delivery.sender.token.empty() ? "none" : "token";
  } catch (const base::Error& error) {
    return std::to_string(error.code());
  }
}

constexpr const char* kUrl = "https://hooks.slack.com/services/T/B/X";

}  // namespace

TEST_CASE("webhook or token") {
  CHECK(way({}, {}) == "none");
  CHECK(way({}, {{"SLACK_WEBHOOK", kUrl}}) == "webhook");
  CHECK(way({}, {{"SLACK_WEBHOOK_URL", kUrl}}) == "webhook");
  CHECK(way({}, {{"SLACK_TOKEN", "t"}}) == "token");
  CHECK(way({}, {{"SLACK_TOKEN", "t"}, {"SLACK_WEBHOOK", kUrl}}) == "webhook");
  CHECK(way({}, {{"SLACK_TOKEN", "t"}, {"SLACK_WEBHOOK", kUrl}}, true) == "token");
  CHECK(way({"--channel", "x"}, {{"SLACK_TOKEN", "t"}, {"SLACK_WEBHOOK", kUrl}}) == "token");
  CHECK(way({"--webhook", kUrl}, {{"SLACK_TOKEN", "t"}}, true) == "webhook");
  CHECK(way({"--token", "t"}, {{"SLACK_WEBHOOK", kUrl}}) == "token");
  CHECK(way({}, {{"INPUT_TOKEN", "t"}, {"SLACK_WEBHOOK", kUrl}}) == "token");
  CHECK(way({"--webhook", kUrl, "--token", "t"}, {}) == "64");
  CHECK(way({}, {{"INPUT_WEBHOOK", kUrl}, {"INPUT_TOKEN", "t"}}) == "64");
}

TEST_CASE("secrets: white space around them is not theirs, inside them it is refused") {
  CHECK(commands::read_delivery(Parsed({}, {{"SLACK_TOKEN", " xoxb-1\n"}}).options, true)
            .sender.token == "xoxb-1");
  CHECK(way({}, {{"SLACK_TOKEN", "xoxb-1\nX-Evil: 1"}}) == "64");
  CHECK(way({}, {{"SLACK_WEBHOOK", std::string(kUrl) + "\n"}}) == "webhook");
  for (const std::string url :
       {"hooks.slack.com/x", "ftp://x/y", "https://", "https://x/a b", "***"}) {
    CAPTURE(url);
    CHECK(way({}, {{"SLACK_WEBHOOK", url}}) == "64");
  }
}

TEST_CASE("looks") {
  const auto looks = [](const Words& arguments) {
    return commands::read_looks(Parsed(arguments).options);
  };
  CHECK(looks({"--icon-emoji", "bell"}).icon_emoji == ":bell:");
  CHECK(looks({"--icon-emoji", ":bell:"}).icon_emoji == ":bell:");
  CHECK_FALSE(looks({}).unfurl_links);
  for (const std::string color : {"good", "warning", "danger", "#abc", "#A1b2C3"}) {
    CHECK(looks({"--color", color}).color == color);
  }
  for (const std::string color : {"red", "#12345", "#ggg", "abc", "#"}) {
    CAPTURE(color);
    CHECK_THROWS_AS(looks({"--color", color}), base::Error);
  }
}

TEST_CASE("a thread's ts") {
  const auto thread = [](const std::string& ts) {
    return commands::read_delivery(Parsed({"--thread-ts", ts}).options, false).thread_ts;
  };
  CHECK(thread("1700000000.000100") == "1700000000.000100");
  CHECK(thread("").empty());
  for (const std::string ts : {"1700000000", "1.", ".1", "a.b", "1.2.3", "p1700000000000100"}) {
    CAPTURE(ts);
    CHECK_THROWS_AS(thread(ts), base::Error);
  }
}
