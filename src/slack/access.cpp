#include "slack/access.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/date.hpp"

namespace slack {

namespace {

struct MethodScope {
  std::string_view method;
  const char* scope;
};

constexpr MethodScope kScopes[] = {
    {"chat.postMessage", "chat:write"},
    {"chat.postEphemeral", "chat:write"},
    {"chat.update", "chat:write"},
    {"chat.delete", "chat:write"},
    {"chat.meMessage", "chat:write"},
    {"chat.scheduleMessage", "chat:write"},
    {"reactions.add", "reactions:write"},
    {"reactions.remove", "reactions:write"},
    {"pins.add", "pins:write"},
    {"pins.remove", "pins:write"},
    {"files.uploadV2", "files:write"},
    {"files.getUploadURLExternal", "files:write"},
    {"files.completeUploadExternal", "files:write"},
    {"conversations.list", "channels:read"},
    {"conversations.info", "channels:read"},
    {"users.info", "users:read"},
    {"users.lookupByEmail", "users:read.email"},
};

std::string shown(const json::Value& reply, const char* name) {
  return base::shorten(base::one_line(json::string_at(reply, name)), 100);
}

}  // namespace

Identity who_am_i(const Sender& sender, const Line& line) {
  Line noting = line;
  noting.repeat_when_unsure = true;
  net::HttpResponse last;
  noting.http = [&last, http = line.http](const net::HttpRequest& request) {
    last = http(request);
    return last;
  };
  const json::Value reply = call_method(sender, {"auth.test", {}}, noting);
  Identity identity;
  identity.user = shown(reply, "user");
  identity.team = shown(reply, "team");
  for (const auto& [name, value] : last.headers) {
    if (name == "x-oauth-scopes") identity.scopes = base::split_list(value);  // it may have none
  }
  const std::optional<int64_t> slack_unix_s = net::date_unix_s(net::header(last, "date"));
  if (slack_unix_s) identity.ahead_s = line.clock.unix_s() - *slack_unix_s;
  return identity;
}

bool has_scope(const Identity& identity, const std::string& scope) {
  if (!identity.scopes) return true;
  return std::find(identity.scopes->begin(), identity.scopes->end(), scope) !=
         identity.scopes->end();
}

std::string scope_for(const std::string& method) {
  for (const MethodScope& known : kScopes) {
    if (method == known.method) return known.scope;
  }
  return "";
}

Conversation conversation_info(const Sender& sender, const std::string& id, const Line& line) {
  Line lookup = line;
  lookup.repeat_when_unsure = true;
  const json::Value reply = call_method(sender, {"conversations.info", {{"channel", id}}}, lookup);
  const json::Value none;
  const json::Value* found = json::find(reply, "channel");
  const json::Value& channel = found == nullptr ? none : *found;
  return {.id = id,
          .name = shown(channel, "name"),
          .is_member = json::bool_at(channel, "is_member"),
          .is_private = json::bool_at(channel, "is_private"),
          .is_archived = json::bool_at(channel, "is_archived"),
          .is_direct = json::bool_at(channel, "is_im")};
}

}  // namespace slack
