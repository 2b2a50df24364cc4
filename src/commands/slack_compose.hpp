// What slack-post is to send, of what its options say: a Sending for each channel.
#pragma once

#include <string>
#include <vector>

#include "commands/options.hpp"
#include "commands/sending.hpp"
#include "commands/slack_post_options.hpp"

namespace commands {

// The sendings for a payload, files or a text. Throws 65 for a text that is too long and may not be
// cut, 66 for a file that can't be read.
std::vector<Sending> compose_post(const Options& options, const PostSettings& settings);

// The message that carries a part of a stream; `text` is escaped already.
slack::Call stream_call(const PostSettings& settings, const std::string& place,
                        const std::string& text);

// Foreign text as a message shows it: plain, or with the markup that is trusted.
std::string encoded_text(const std::string& text, const Trust& trust);

// Puts IDs where Slack wants them and a person wrote a name or an address. What it can't find
// becomes the sending's error. Asks Slack, so not for a dry run.
void resolve_places(std::vector<Sending>& sendings, const PostSettings& settings);

}  // namespace commands
