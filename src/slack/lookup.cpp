#include "slack/lookup.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/error.hpp"
#include "slack/errors.hpp"

namespace slack {

namespace {

constexpr size_t kShortestId = 7;
constexpr int kChannelsAPage = 999;  // Slack's most is below 1,000
constexpr int kMostPages = 1'000;

// Lookups change nothing, so they are asked again even when a reply got lost.
Line for_lookup(const Line& line) {
  Line lookup = line;
  lookup.repeat_when_unsure = true;
  return lookup;
}

bool is_id_of(const std::string& text, std::string_view kinds) {
  if (text.size() < kShortestId || kinds.find(text[0]) == std::string_view::npos) return false;
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string::npos;
}

std::string open_direct(const Sender& sender, const std::string& user, const Line& line) {
  const json::Value reply =
      call_method(sender, {"conversations.open", {{"users", user}}}, for_lookup(line));
  const json::Value* channel = json::find(reply, "channel");
  return channel == nullptr ? "" : json::string_at(*channel, "id");
}

// The ID of the channel with that name on one page of the list; "" when it is not there.
std::string id_on_page(const json::Value& reply, const std::string& name) {
  const json::Array* channels = json::as_array(json::find(reply, "channels"));
  if (channels == nullptr) return "";
  for (const json::Value& channel : *channels) {
    if (json::string_at(channel, "name") == name) return json::string_at(channel, "id");
  }
  return "";
}

// "" when no channel of these types has the name.
std::string find_channel(const Sender& sender, const std::string& name, const std::string& types,
                         const Line& line) {
  std::string cursor;
  for (int page = 0; page < kMostPages; ++page) {
    Call call{"conversations.list",
              {{"types", types}, {"exclude_archived", true}, {"limit", kChannelsAPage}}};
    if (!cursor.empty()) call.arguments.push_back({"cursor", cursor});
    const json::Value reply = call_method(sender, call, for_lookup(line));
    std::string id = id_on_page(reply, name);
    if (!id.empty()) return id;
    const json::Value* metadata = json::find(reply, "response_metadata");
    cursor = metadata == nullptr ? "" : json::string_at(*metadata, "next_cursor");
    if (cursor.empty()) break;
  }
  return "";
}

// A bot that may list public channels need not have the scope for private ones.
std::string channel_id(const Sender& sender, const std::string& name, const Line& line) {
  try {
    return find_channel(sender, name, "public_channel,private_channel", line);
  } catch (const Refused& refused) {
    if (refused.refusal().word != "missing_scope") throw;
    return find_channel(sender, name, "public_channel", line);
  }
}

}  // namespace

bool is_id(const std::string& text) {
  return is_id_of(text, "CGDUW");
}

bool is_email(const std::string& text) {
  const size_t at = text.find('@');
  return at != std::string::npos && at > 0 && at + 1 < text.size();
}

bool is_user(const std::string& text) {
  return is_id_of(text, "UW") || is_email(text);
}

std::string user_id(const Sender& sender, const std::string& user, const Line& line) {
  if (is_id_of(user, "UW")) return user;
  const json::Value reply =
      call_method(sender, {"users.lookupByEmail", {{"email", user}}}, for_lookup(line));
  const json::Value* found = json::find(reply, "user");
  return found == nullptr ? "" : json::string_at(*found, "id");
}

std::string conversation_id(const Sender& sender, const std::string& place, const Line& line) {
  if (is_id_of(place, "CGD")) return place;
  if (is_user(place)) return open_direct(sender, user_id(sender, place, line), line);
  const std::string name = place.starts_with('#') ? place.substr(1) : place;
  std::string id = channel_id(sender, name, line);
  if (!id.empty()) return id;
  throw base::Error(base::exit_configuration,
                    fmt::format("no channel that the bot can see is named {}; check the name, "
                                "invite the bot if it is private, or give the channel's ID",
                                name));
}

std::string message_channel(const Sender& sender, const std::string& place, const Line& line) {
  return is_email(place) ? user_id(sender, place, line) : place;
}

}  // namespace slack
