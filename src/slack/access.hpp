// Who a token is for and what it may do, found out by methods that change nothing and that nobody
// sees. Source: docs.slack.dev auth.test, conversations.info, "Permission scopes"; the header
// X-OAuth-Scopes that stands in every reply of the Web API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slack/client.hpp"

namespace slack {

struct Identity {
  std::string user;                                // "opsbelt"
  std::string team;                                // the workspace's name
  std::optional<std::vector<std::string>> scopes;  // nothing: Slack did not say
  std::optional<int64_t> ahead_s;  // this machine's clock before Slack's; nothing: it did not say
};

// auth.test. Throws as call_method() does.
Identity who_am_i(const Sender& sender, const Line& line);

// Whether it has the scope; true also when Slack did not say which there are.
bool has_scope(const Identity& identity, const std::string& scope);

// The scope that a bot needs for a method, where it is known here; else "".
std::string scope_for(const std::string& method);

struct Conversation {
  std::string id;
  std::string name;
  bool is_member = false;  // the bot is
  bool is_private = false;
  bool is_archived = false;
  bool is_direct = false;
};

// conversations.info of an ID (scope channels:read, groups:read for private ones). Throws as
// call_method() does.
Conversation conversation_info(const Sender& sender, const std::string& id, const Line& line);

}  // namespace slack
