// Slack's mrkdwn: foreign text in, text out that shows as it was and does nothing.
// Source: docs.slack.dev "Formatting message text". Only & < > have an escape; there is none for
// the backtick or for | inside a link's label, so those are replaced by look-alikes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slack {

// Foreign text as part of a line, also of a line inside ``` … ```: escaped, on one line, backticks
// as ˋ (U+02CB).
std::string escape(std::string_view text);

// The same for text of several lines, which stay lines.
std::string escape_lines(std::string_view text);

// Foreign text of several lines for a message without markup (Message::formatted is false): only
// escaped; terminal colours and control characters but tabs are dropped.
std::string escape_plain(std::string_view text);

// mrkdwn or Markdown that may have links and mentions of people, but calls no crowd: <!channel>,
// <!here>, <!everyone> and <!subteam^…> show as they are written. `names` also for @channel and so
// on, which Slack obeys when it is told to look for names (Looks::link_names).
std::string without_broadcasts(std::string_view text, bool names);

// <url|label> with both made safe; only the label when url is none or longer than Slack shows well.
std::string link(std::string_view url, std::string_view label);

// What a person sees of mrkdwn, as plain text: of links the label, escapes undone.
std::string plain_text(std::string_view mrkdwn);

}  // namespace slack
