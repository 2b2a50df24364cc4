// Who a GitHub login is on Slack, from a file that people keep.
#pragma once

#include <map>
#include <string>

#include "json/value.hpp"

namespace slack {

using Mentions = std::map<std::string, std::string>;  // login in lower case -> Slack user ID

// From {login: U0123ABCD, …}. Throws 65 when the document is no such map or a value no user ID.
Mentions read_mentions(const json::Value& document, const std::string& source);

// "<@U0123ABCD>"; "" for a login that is not in the map.
std::string mention_of(const Mentions& mentions, const std::string& login);

}  // namespace slack
