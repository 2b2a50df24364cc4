#include "slack/mentions.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace slack {

constexpr size_t kShortestId = 9;

// U… (W… in an Enterprise Grid) for users, S… for groups, and capitals or digits.
bool is_mentionable(const std::string& id) {
  if (id.size() < kShortestId || (id[0] != 'U' && id[0] != 'W' && id[0] != 'S')) return false;
  return id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string::npos;
}

std::string mention_of_id(const std::string& id) {
  return fmt::format("<{}{}>", id.starts_with('S') ? "!subteam^" : "@", id);
}

Mentions read_mentions(const json::Value& document, const std::string& source) {
  if (json::is_null(&document)) return {};  // an empty file
  const json::Object* members = json::as_object(&document);
  if (members == nullptr) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} is no map of GitHub logins to Slack user IDs", source));
  }
  Mentions mentions;
  for (const json::Member& member : *members) {
    const std::string* id = json::as_string(&member.value);
    if (id == nullptr || !is_mentionable(*id)) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("{}: '{}' has no Slack user ID (like U0123ABCD; in Slack: the "
                                    "profile's menu, Copy member ID)",
                                    source, base::one_line(member.name)));
    }
    const bool has_at = member.name.starts_with('@');
    mentions[base::lower_ascii(has_at ? member.name.substr(1) : member.name)] = *id;
  }
  return mentions;
}

std::string mention_of(const Mentions& mentions, const std::string& login) {
  const auto found = mentions.find(base::lower_ascii(login));
  return found == mentions.end() ? "" : mention_of_id(found->second);
}

}  // namespace slack
