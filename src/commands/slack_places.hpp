// Where slack-post's calls go: channels, threads, messages to change; and the IDs behind names.
#pragma once

#include <string>
#include <vector>

#include "commands/sending.hpp"
#include "commands/slack_post_options.hpp"
#include "json/value.hpp"
#include "slack/client.hpp"

namespace commands {

// One message's place: a channel as written, and for an update the ts.
struct Place {
  std::string channel;  // "" when the webhook, the method or the payload decides
  std::string ts;
};

// A place for each channel, or for each message of the results that --update names; one without a
// channel when none is given. Throws 65 for results that name no message, or one in several parts.
std::vector<Place> places_of(const PostSettings& settings);

// Those of the results that --update names in which no message was posted.
std::vector<std::string> places_without_message(const PostSettings& settings);

// What a place is called in results and errors: "#ops", "webhook", the method without a channel.
std::string name_of(const Place& place, const PostSettings& settings);

// The method that fits: chat.update, chat.postEphemeral, chat.postMessage, or the one that is
// given.
std::string method_of(const PostSettings& settings);

// A call there with these arguments; what the options say of channel, thread, user and ts
// outweighs them.
slack::Call call_at(const Place& place, json::Object arguments, const PostSettings& settings);

// Sets an argument, whether it is there or not; set_given only when the value is not "".
void set_argument(json::Object& arguments, const std::string& name, json::Value value);
void set_given(json::Object& arguments, const std::string& name, const std::string& value);

// A sending there with its place and the line for when Slack took it, still without calls.
Sending sending_to(const Place& place, const PostSettings& settings);

// Puts IDs where Slack wants them and a person wrote a name or an address. What it can't find
// becomes the sending's error. Asks Slack, so not for a dry run.
void resolve_places(std::vector<Sending>& sendings, const PostSettings& settings);

}  // namespace commands
