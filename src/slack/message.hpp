// A Slack message as plain data, and the arguments of chat.postMessage made of it. What is put in
// must be mrkdwn already: foreign text goes through slack/mrkdwn.hpp first.
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
  enum class Kind { section, context, markdown } kind = Kind::section;
  std::string text;  // mrkdwn; standard Markdown in a block of that kind
};

// How a message looks. A webhook of a Slack app ignores the name and the icons; a bot token needs
// the scope chat:write.customize for them.
struct Looks {
  std::string username;
  std::string icon_emoji;  // ":bell:"
  std::string icon_url;
  std::string color;  // "good", "warning", "danger" or "#RRGGBB": a bar beside the blocks
  bool unfurl_links = false;
  bool link_names = false;  // @name and #channel in the text become mentions
};

struct Message {
  // mrkdwn above a coloured message, for mentions: Slack calls nobody who is named beside the bar.
  std::string lead;
  std::string text;  // the message; with blocks the notification, and what is read without them
  bool formatted = true;  // * _ ~ and ` in the text are markup
  std::vector<Block> blocks;
  std::string title;   // stands bold above the text or the blocks
  std::string footer;  // stands small below them
  Looks looks;
  std::string channel;     // ID or #name; needed with a token
  std::string thread_ts;   // "" for a message of its own
  bool broadcast = false;  // show the reply of a thread in the channel too
};

// The arguments of chat.postMessage, which are also the body for an incoming webhook.
json::Object payload(const Message& message);

}  // namespace slack
