#include "commands/serve_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/findings.hpp"
#include "commands/slack_options.hpp"
#include "json/read.hpp"

namespace commands {

namespace {

constexpr size_t kMaxBotBytes = size_t{1} << 20U;

// Variables by which an Azure Functions host tells its custom handler where to listen.
constexpr const char* kFunctionsPorts[] = {"FUNCTIONS_CUSTOMHANDLER_PORT",
                                           "FUNCTIONS_HTTPWORKER_PORT"};

bool listens_to_slack(const slack::Bot& bot) {
  using Trigger = slack::Handler::Trigger;
  return std::any_of(bot.handlers.begin(), bot.handlers.end(), [](const slack::Handler& handler) {
    return handler.trigger == Trigger::match || handler.trigger == Trigger::command;
  });
}

bool read_ack(const Options& options, bool in_functions) {
  const std::string word = options.choice("ack-after");
  return word.empty() ? in_functions : word == "handler";
}

std::string read_path(const Options& options) {
  std::string path = base::trim(options.text("path"));
  if (path.starts_with('/')) return path;
  throw options.wrong_value("path", "a path like /slack/events");
}

int64_t read_drain_ms(const Options& options) {
  int64_t ms = 0;
  if (base::read_duration_ms(base::trim(options.text("drain-timeout")), ms)) return ms;
  throw options.wrong_value("drain-timeout", "a time like 30s or 2m");
}

void refuse(const char* problem) {
  throw base::Error(base::exit_usage, problem);
}

}  // namespace

std::vector<Option> slack_serve_options() {
  const std::string bot = "Bot";
  const std::string slack = "Slack";
  const std::string server = "Server";
  const std::string azure = "Azure Functions";
  std::vector<Option> table = {
      {bot, "--config", "FILE", "", "", "what the bot does: its handlers, in YAML or JSON"},
      check_option(bot,
                   "the file, its programs and boards, secrets, tokens and scopes, port and clock"),
      {bot, "--say", "TEXT", "", "",
       "answer this message here, without Slack: a way to try handlers"},
      {bot, "--as", "USER", "", "U00000000", "who says it: a user's ID or name"},
      {bot, "--in", "CHANNEL", "", "D00000000", "where it is said: a channel's ID or #name"},
      {slack, "--signing-secret", "SECRET", "SLACK_SIGNING_SECRET", "",
       "proves that requests come from Slack (Basic Information in the app's settings)"},
      {slack, "--verification-token", "TOKEN", "SLACK_VERIFICATION_TOKEN", "",
       "the deprecated proof, used only without a signing secret"},
      {slack, "--token", "TOKEN", "SLACK_BOT_TOKEN, SLACK_TOKEN, SLACK_KEY", "",
       "bot token to answer by (xoxb-…, scope chat:write)"},
      {slack, "--socket-mode", "", "", "",
       "no port: connect to Slack and get the events there, from behind a firewall", Kind::toggle},
      {slack, "--app-token", "TOKEN", "SLACK_APP_TOKEN", "",
       "app-level token for it (xapp-…, scope connections:write)"},
      {server, "--port", "NUMBER", "FUNCTIONS_CUSTOMHANDLER_PORT, FUNCTIONS_HTTPWORKER_PORT",
       "8080", "to listen on"},
      {server, "--bind", "ADDRESS", "", "",
       "to listen on; all of the machine's without it, as an Azure Function 127.0.0.1"},
      {server, "--path", "PATH", "", "/slack/events",
       "where Slack's events come, beside /events-endpoint and /api/…"},
      {server, "--ack-after", "queue|handler", "", "",
       "when Slack is told that an event has come: once it is queued, or once it is handled (after "
       "2.5 s "
       "at the latest), which is the default as an Azure Function",
       Kind::choice},
      {server, "--workers", "NUMBER", "", "8", "messages that are handled at the same time"},
      {server, "--queue", "NUMBER", "", "1000",
       "messages that may wait; when it is full Slack is told to deliver again"},
      {server, "--drain-timeout", "TIME", "", "30s", "how long SIGTERM waits for what has begun"},
      {server, "--access-log", "true|false", "", "true",
       "a line of JSON on stderr for each request", Kind::choice},
      {azure, "--write-function-app", "DIR", "", "",
       "write an Azure Functions app of this bot: host.json, the functions, the bot's file, this "
       "binary"},
      {azure, "--zip", "FILE", "", "", "write the same as a zip file, ready to be deployed"},
      {azure, "--function", "NAME", "", "events-endpoint", "name of the function that Slack calls"},
  };
  const std::vector<Option> connection = connection_options();
  table.insert(table.end(), connection.begin(), connection.end());
  return table;
}

Page slack_serve_help() {
  return {
      "--config FILE [options]",
      "A Slack bot over the Events API: answers messages and slash commands with texts and with "
      "programs, as its file says. Runs on a port, or as the custom handler of an Azure Functions "
      "app, which costs nothing while nobody talks to it.",
      "  " PRODUCT_NAME
      " slack-serve --config bot.yaml --say \"deploy web\" --as ada\n"
      "  " PRODUCT_NAME
      " slack-serve --config bot.yaml --port 3000\n"
      "  " PRODUCT_NAME " slack-serve --config bot.yaml --write-function-app app/\n"};
}

slack::Bot read_bot_file(const Options& options) {
  const std::string path = options.text("config");
  if (path.empty()) refuse("no bot: give its file by --config bot.yaml");
  const std::string text = base::read_file(path, kMaxBotBytes, "the bot");
  return slack::read_bot(json::parse_yaml(text, path), path);
}

ServeSettings read_serve_words(const Options& options, const slack::Bot& bot) {
  ServeSettings settings;
  settings.bot = bot;
  for (const char* name : kFunctionsPorts) {
    settings.in_functions = settings.in_functions || !options.env()(name).empty();
  }
  settings.sender = {"", base::trim(options.text("token")), base::trim(options.text("api"))};
  settings.signing_secret = base::trim(options.text("signing-secret"));
  settings.verification_token = base::trim(options.text("verification-token"));
  settings.port = static_cast<uint16_t>(options.number("port", 0, 65'535));
  settings.address = base::trim(options.text("bind"));
  if (settings.address.empty()) settings.address = settings.in_functions ? "127.0.0.1" : "0.0.0.0";
  settings.path = read_path(options);
  for (const slack::Handler& handler : settings.bot.handlers) {
    const bool is_path = handler.trigger == slack::Handler::Trigger::http;
    if (is_path && handler.pattern == settings.path) {
      throw options.wrong_value("path", "a path that no handler has");
    }
  }
  settings.ack_after_handler = read_ack(options, settings.in_functions);
  settings.workers = static_cast<size_t>(options.number("workers", 1, 256));
  settings.most_waiting = static_cast<size_t>(options.number("queue", 1, 1'000'000));
  settings.drain_ms = read_drain_ms(options);
  settings.log_requests = options.toggle("access-log");
  settings.by_socket = options.toggle("socket-mode");
  if (settings.by_socket) settings.app_token = base::trim(options.text("app-token"));
  if (settings.by_socket && settings.ack_after_handler) {
    refuse("--socket-mode acknowledges what is queued: drop --ack-after handler");
  }
  return settings;
}

std::vector<std::string> missing_secrets(const ServeSettings& settings) {
  std::vector<std::string> missing;
  if (settings.by_socket && settings.app_token.empty()) {
    missing.emplace_back("--socket-mode needs --app-token (SLACK_APP_TOKEN), beside the bot token");
  }
  if (!listens_to_slack(settings.bot)) return missing;
  const bool has_proof = !settings.signing_secret.empty() || !settings.verification_token.empty();
  if (!settings.by_socket && !has_proof) {
    missing.emplace_back(
        "nothing tells Slack's requests from others: give --signing-secret (SLACK_SIGNING_SECRET)");
  }
  if (settings.sender.token.empty()) {
    missing.emplace_back("no way to answer: give --token (SLACK_BOT_TOKEN)");
  }
  return missing;
}

ServeSettings read_serve_settings(const Options& options) {
  ServeSettings settings = read_serve_words(options, read_bot_file(options));
  const std::vector<std::string> missing = missing_secrets(settings);
  if (!missing.empty()) throw base::Error(base::exit_usage, missing.front());
  return settings;
}

}  // namespace commands
