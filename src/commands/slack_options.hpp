// The options that every command which sends to Slack has, and what they mean together.
#pragma once

#include <string>
#include <vector>

#include "commands/options.hpp"
#include "net/curl.hpp"
#include "slack/client.hpp"
#include "slack/mentions.hpp"
#include "slack/message.hpp"

namespace commands {

inline constexpr const char* kGrey = "#808080";  // of what neither went well nor badly

// Where a message goes, and by whom.
struct Delivery {
  slack::Sender sender;               // neither webhook nor token: none is known
  std::vector<std::string> channels;  // as given; may be empty with a webhook
  std::string thread_ts;
};

// --api, --proxy, --retry-budget, --retries, --timeout.
std::vector<Option> connection_options();

// --webhook, --token, --channel, --thread-ts, and those of connection_options.
std::vector<Option> delivery_options();

// --username, --icon-emoji, --icon-url, --color, --unfurl-links, --link-names.
std::vector<Option> looks_options();

// --dry-run, --check, --output, --json.
std::vector<Option> output_options();

// --mentions, with what it is for here.
Option mentions_option(const std::string& group, const std::string& purpose);

// Decides between webhook and token when both are known: the one given more directly (flag, then
// input, then environment); alike from the environment the token if there is a channel for it
// (named_channels: the command has some of its own), else the webhook. Throws 64 for both given
// alike directly, and for values that can't be right; no text of it holds a secret.
Delivery read_delivery(const Options& options, bool named_channels);

// A message's ts; "" when it is not given.
std::string read_ts(const Options& options, const std::string& name);  // throws 64

slack::Looks read_looks(const Options& options);  // throws 64

slack::Mentions read_mentions(const Options& options);  // empty without --mentions

// --output json or --json; when they contradict each other, the one given more directly.
bool wants_json(const Options& options);

// How libcurl is to connect: by --proxy or the environment's.
net::CurlOptions curl_options(const Options& options);

// The connection for sending; tells of waits on standard error.
slack::Line make_line(const Options& options, const std::string& command);

}  // namespace commands
