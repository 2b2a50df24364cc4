// slack-serve's options, and what they mean together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/help.hpp"
#include "commands/options.hpp"
#include "slack/bot.hpp"
#include "slack/client.hpp"

namespace commands {

std::vector<Option> slack_serve_options();
Page slack_serve_help();

struct ServeSettings {
  slack::Bot bot;
  slack::Sender sender;  // by token; empty when the bot answers nothing in Slack
  std::string signing_secret;
  std::string verification_token;  // deprecated
  std::string app_token;           // of Socket Mode; "" without it
  std::string address;
  std::string path;  // of the events, beside the usual ones
  size_t workers = 0;
  size_t most_waiting = 0;
  int64_t drain_ms = 0;
  uint16_t port = 0;
  bool by_socket = false;     // Socket Mode
  bool in_functions = false;  // an Azure Functions host started this
  bool ack_after_handler = false;
  bool log_requests = true;
};

// The bot's file. Throws 64 without --config, 65 and 66 as the file does.
slack::Bot read_bot_file(const Options& options);

// What the options say, for this bot. Throws 64.
ServeSettings read_serve_words(const Options& options, const slack::Bot& bot);

// What such a bot can't do without and was not given, a line each.
std::vector<std::string> missing_secrets(const ServeSettings& settings);

// All of it, for serving. Throws 64 when a secret or token is missing that the bot needs.
ServeSettings read_serve_settings(const Options& options);

}  // namespace commands
