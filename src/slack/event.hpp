// What Slack delivers to a bot: events and slash commands, as values.
// Source: docs.slack.dev "Events API", "message event", "Slash commands".
#pragma once

#include <string>

#include "json/value.hpp"

namespace slack {

// A message that the bot heard, or a slash command.
struct Heard {
  std::string team;          // the workspace in which the bot is installed
  std::string channel;       // ID
  std::string channel_name;  // of a command only
  std::string user;          // ID
  std::string user_name;     // of a command only
  std::string text;          // as a person typed it; without the bot's name in front
  std::string ts;            // "" for a command
  std::string thread_ts;     // "" outside of threads
  std::string command;       // "/deploy"; "" for a message
  std::string response_url;  // of a command: where its answer may go
  bool is_direct = false;    // in a conversation with the bot alone
  bool is_mention = false;   // it began with the bot's name
};

struct Delivery {
  enum class Kind { challenge, heard, ignored, broken } kind = Kind::broken;
  std::string token;      // the deprecated verification token
  std::string event_id;   // of a command its trigger_id
  std::string challenge;  // to be answered as it is
  std::string reason;     // why it is ignored or what is wrong with it: "bot", "message_changed"
  Heard heard;
};

// Reads a request's body: a form for commands, JSON for the rest. Ignored is what is no message,
// what a bot wrote (unless hear_bots; never the bot's own), edits and deletions.
Delivery read_delivery(const std::string& body, const std::string& content_type, bool hear_bots);

// The same of what comes over Socket Mode: an envelope's type and payload.
Delivery read_envelope(const std::string& type, const json::Value& payload, bool hear_bots);

// A message's mrkdwn as the person typed it: escapes undone, of links the label or the address, of
// channels #name; mentions of people stay as <@U0123ABCD>.
std::string typed_text(const std::string& mrkdwn);

}  // namespace slack
