// A Slack message as plain data, and its JSON. What is put in must be mrkdwn already: foreign text
// goes through slack/mrkdwn.hpp first.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.hpp"
#include "slack/mrkdwn.hpp"

namespace slack {

// Slack's limits, in UTF-16 units (the stricter reading). The cap over all blocks is undocumented:
// messages near 13,200 were refused with msg_blocks_too_long, so a margin is kept.
inline constexpr size_t kMaxText = 4'000;
inline constexpr size_t kMaxBlocks = 50;
inline constexpr size_t kMaxSectionText = 3'000;
inline constexpr size_t kMaxTextOfAllBlocks = 12'000;

struct Block {
  enum class Kind { section, context } kind = Kind::section;
  std::string mrkdwn;
};

// How a message looks. A webhook of a Slack app ignores the name and the icons; a bot token needs
// the scope chat:write.customize for them.
struct Looks {
  std::string username;
  std::string icon_emoji;  // ":bell:"
  std::string icon_url;
  std::string color;  // "good", "warning", "danger" or "#RRGGBB": a bar beside the blocks
  bool unfurl_links = false;
};

struct Message {
  std::string text;  // mrkdwn; the notification, and what is read where blocks can't be shown
  std::vector<Block> blocks;
  Looks looks;
  std::string channel;    // ID or #name; needed with a token
  std::string thread_ts;  // "" for a message of its own
};

// The body of chat.postMessage or of an incoming webhook.
json::Value payload(const Message& message);

// The same, for a person at a terminal. With `styled`, bold is bold there.
std::string shown(const Message& message, bool styled);

// The message in Slack's Block Kit Builder, for a look at it before it is sent.
std::string builder_url(const Message& message);

}  // namespace slack
