// A bot as its file describes it, and what it does with a message: text and names in, things to do
// out. Nothing here sends, runs or waits.
//
//   name: wheatley
//   handlers:
//     - match: '^deploy (?P<what>\w+)$'     # RE2, found anywhere in the text
//       channels: ["#ops"]                  # allow-lists; who is not on them gets `refusal`
//       users: [ada, U0123ABCD]
//       refusal: only the people of operations may
//       run: [./deploy.sh, "$1"]            # or reply: "deploying ${what}"
//     - command: /deploy                    # or http:, function:, help:, hello:, sound_off:,
//     echo:,
//     - state: {file: env.db, name: env}    # "env X is Y", "env X", "env summary", "list env"
//
// Source of the expressions: github.com/google/re2, "Syntax".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "json/value.hpp"
#include "slack/event.hpp"

namespace re2 {
class RE2;
}  // namespace re2

namespace slack {

// What makes a handler act, and what it does.
struct Handler {
  enum class Trigger { match, command, http, function } trigger = Trigger::match;
  enum class Deed { reply, run, help, hello, sound_off, echo, state } deed = Deed::reply;

  std::string name;         // for logs and "sound off": its own, or "handler 3"
  std::string description;  // for "help"; "" for what matches
  std::string pattern;      // the expression, the command, the path or the function
  std::shared_ptr<const re2::RE2> match;
  std::vector<std::string> methods;      // of http
  std::vector<std::string> channels;     // IDs or names without #; empty: all
  std::vector<std::string> users;        // IDs or user names in lower case; empty: all
  std::string refusal;                   // mrkdwn
  std::string reply;                     // mrkdwn; $1 and ${name} stand for what was matched
  std::vector<std::string> argv;         // the same in arguments
  std::string files_below;               // of run: the folder whose files it may name; "" none
  std::string board;                     // of state: the file
  std::vector<std::string> environment;  // names of the variables that a program gets
  int64_t timeout_ms = 60'000;
  size_t most_output_bytes = 1 << 20;
  bool in_thread = false;  // answers stand in a thread
  bool stop = false;       // later handlers are not asked
};

struct Bot {
  std::string name;
  bool hear_bots = false;
  std::vector<Handler> handlers;
};

// Throws 65 with the source and the place ("bot.yaml, at /handlers/0/match: …") for what is no such
// file: unknown names, a missing trigger, an expression that RE2 does not take, a reply with a
// capture that the expression has not.
Bot read_bot(const json::Value& document, const std::string& source);

// One thing to do about a message.
struct Task {
  const Handler* handler = nullptr;
  bool refused = false;
  std::string text;                             // to answer, mrkdwn; "" when a program is to be run
  std::vector<std::string> argv;                // of that program
  std::map<std::string, std::string> captures;  // "1", "what"
};

// Names of a user in lower case, and of a channel; asked only when an allow-list has names.
struct Names {
  std::function<std::vector<std::string>(const Heard&)> of_user;
  std::function<std::string(const Heard&)> of_channel;
};

// Whether any handler is there for the message, whoever said it and wherever. Quick.
bool is_for_handler(const Bot& bot, const Heard& heard);

// What each handler that the message fits does, in the file's order, up to one that says stop.
std::vector<Task> tasks_for(const Bot& bot, const Heard& heard, const Names& names);

// The task of a handler for http or function, which match no text.
Task task_of(const Handler& handler);

}  // namespace slack
