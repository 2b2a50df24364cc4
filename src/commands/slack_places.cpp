#include "commands/slack_places.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "slack/lookup.hpp"
#include "slack/upload.hpp"

namespace commands {

namespace {

// Methods that find a channel by its name themselves; all others want its ID.
constexpr const char* kNameMethods[] = {slack::kPostMessage, "chat.postEphemeral",
                                        "chat.scheduleMessage"};

bool by_webhook(const PostSettings& settings) {
  return !settings.delivery.sender.webhook.empty();
}

// The message that one of an earlier step's results names; "" for both when it names none.
Place place_of_result(const json::Value& result) {
  const Place place{json::string_at(result, "channel_id"), json::string_at(result, "ts")};
  return place.channel.empty() || place.ts.empty() ? Place{} : place;
}

// The messages that an earlier step posted, from its output results.
std::vector<Place> places_of_results(const std::string& results) {
  const json::Value document = json::parse(results, "--update");
  std::vector<Place> places;
  for (const json::Member& result : *json::as_object(&document)) {
    const json::Array* parts = json::as_array(json::find(result.value, "parts"));
    if (parts != nullptr && parts->size() > 1) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("{}: the message has {} parts, and an update changes one; give "
                                    "--channel and --update the ts of that part",
                                    base::one_line(result.name), parts->size()));
    }
    const Place place = place_of_result(result.value);
    if (!place.ts.empty()) places.push_back(place);
  }
  if (!places.empty()) return places;
  throw base::Error(base::exit_bad_input,
                    "--update names no message: none of these results has channel_id and ts");
}

// The line that tells of it when Slack took it.
std::string done_line(const std::string& name, const PostSettings& settings) {
  const std::string method = method_of(settings);
  if (method == "chat.update") return "updated the message in " + name;
  if (!settings.ephemeral.empty()) {
    return fmt::format("posted to {} for {} only", name, settings.ephemeral);
  }
  if (method == slack::kPostMessage) return "posted to " + name;
  return name == method ? fmt::format("{} is done", method)
                        : fmt::format("{} is done for {}", method, name);
}

bool takes_names(const std::string& method) {
  for (const char* known : kNameMethods) {
    if (method == known) return true;
  }
  return false;
}

// All calls of a sending go to one place by one method, so one look-up does for all.
void resolve(Sending& sending, const PostSettings& settings) {
  const slack::Sender& sender = settings.delivery.sender;
  const slack::Call& first = sending.calls.front();
  const std::string name = first.method == slack::kCompleteUpload ? "channel_id" : "channel";
  const std::string& place = sending.place;
  if (!place.empty() && json::string_at(json::Value(first.arguments), name) == place) {
    const std::string id = takes_names(first.method)
                               ? slack::message_channel(sender, place, settings.line)
                               : slack::conversation_id(sender, place, settings.line);
    for (slack::Call& call : sending.calls) set_argument(call.arguments, name, id);
  }
  if (settings.ephemeral.empty()) return;
  const std::string user = slack::user_id(sender, settings.ephemeral, settings.line);
  for (slack::Call& call : sending.calls) set_argument(call.arguments, "user", user);
}

}  // namespace

void set_argument(json::Object& arguments, const std::string& name, json::Value value) {
  for (json::Member& argument : arguments) {
    if (argument.name == name) {
      argument.value = std::move(value);
      return;
    }
  }
  arguments.push_back({name, std::move(value)});
}

void set_given(json::Object& arguments, const std::string& name, const std::string& value) {
  if (!value.empty()) set_argument(arguments, name, value);
}

std::vector<Place> places_of(const PostSettings& settings) {
  if (settings.update.starts_with('{')) return places_of_results(settings.update);
  std::vector<Place> places;
  for (const std::string& channel : settings.delivery.channels) {
    places.push_back({channel, settings.update});
  }
  if (places.empty()) places.push_back({"", settings.update});
  return places;
}

std::vector<std::string> places_without_message(const PostSettings& settings) {
  std::vector<std::string> names;
  if (!settings.update.starts_with('{')) return names;
  const json::Value document = json::parse(settings.update, "--update");
  for (const json::Member& result : *json::as_object(&document)) {
    if (place_of_result(result.value).ts.empty()) names.push_back(base::one_line(result.name));
  }
  return names;
}

std::string name_of(const Place& place, const PostSettings& settings) {
  if (by_webhook(settings)) return "webhook";
  if (!place.channel.empty()) return place.channel;
  const json::Value payload(settings.payload);
  for (const char* name : {"channel", "channel_id"}) {
    std::string channel = json::string_at(payload, name);
    if (!channel.empty()) return channel;
  }
  return settings.method;
}

std::string method_of(const PostSettings& settings) {
  if (!settings.method.empty()) return settings.method;
  if (!settings.update.empty()) return "chat.update";
  return settings.ephemeral.empty() ? slack::kPostMessage : "chat.postEphemeral";
}

slack::Call call_at(const Place& place, json::Object arguments, const PostSettings& settings) {
  slack::Call call{method_of(settings), std::move(arguments)};
  if (!place.channel.empty()) set_argument(call.arguments, "channel", place.channel);
  set_given(call.arguments, "ts", place.ts);
  set_given(call.arguments, "thread_ts", settings.delivery.thread_ts);
  set_given(call.arguments, "user", settings.ephemeral);
  if (settings.broadcast) set_argument(call.arguments, "reply_broadcast", true);
  return call;
}

Sending sending_to(const Place& place, const PostSettings& settings) {
  Sending sending;
  sending.place = name_of(place, settings);
  sending.done = done_line(sending.place, settings);
  return sending;
}

void resolve_places(std::vector<Sending>& sendings, const PostSettings& settings) {
  if (by_webhook(settings)) return;
  for (Sending& sending : sendings) {
    try {
      resolve(sending, settings);
    } catch (const base::Error& error) {
      sending.error = base::Error(error.code(), fmt::format("{}: {}", sending.place, error.what()));
    }
  }
}

}  // namespace commands
