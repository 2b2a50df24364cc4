// Who a name (a GitHub login, a group like "oncall") is on Slack, from a file that people keep.
#pragma once

#include <map>
#include <string>

#include "json/value.hpp"

namespace slack {

using Mentions = std::map<std::string, std::string>;  // name in lower case -> Slack ID

// From {login: U0123ABCD, oncall: S0123ABCD, …}. Throws 65 when the document is no such map or a
// value no ID of a user or user group.
Mentions read_mentions(const json::Value& document, const std::string& source);

// "<@U0123ABCD>", for a user group "<!subteam^S0123ABCD>".
std::string mention_of_id(const std::string& id);

// U…, W…, S… and nine characters at least, so that few names in capitals look like one.
bool is_mentionable(const std::string& id);

// The mention of a name; "" for one that is not in the map.
std::string mention_of(const Mentions& mentions, const std::string& login);

}  // namespace slack
