// The digest as one Slack message within Slack's limits: what does not fit is counted in "and N
// more" with a link. All text of the event and the diff is escaped.
#pragma once

#include <string>

#include "gollum/digest.hpp"
#include "slack/message.hpp"

namespace gollum {

struct MessageOptions {
  std::string text_prefix;     // mrkdwn of the workflow's author, sent as it is; "" for none
  std::string sender_mention;  // mrkdwn that stands for the sender; "" for a link to the person
};

// The longest text_prefix a message has room for, in UTF-16 units.
inline constexpr size_t kMaxPrefix = 2'000;

// The text and the blocks; channel, thread and looks are left to the caller.
slack::Message make_message(const Digest& digest, const MessageOptions& options);

}  // namespace gollum
