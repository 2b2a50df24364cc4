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

// <url|label> with both made safe; only the label when url is none or longer than Slack shows well.
std::string link(std::string_view url, std::string_view label);

// What a person sees of mrkdwn, as plain text: of links the label, escapes undone.
std::string plain_text(std::string_view mrkdwn);

}  // namespace slack
