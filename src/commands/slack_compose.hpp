// What slack-post is to send, of what its options say: a Sending for each channel.
#pragma once

#include <string>
#include <vector>

#include "commands/options.hpp"
#include "commands/sending.hpp"
#include "commands/slack_post_options.hpp"

namespace commands {

// The sendings for a payload, files or a text. Throws 65 for a text that is too long and may not be
// cut, and as slack_files.hpp and slack_places.hpp do.
std::vector<Sending> compose_post(const Options& options, const PostSettings& settings);

// The message that carries a part of a stream; `text` is escaped already.
slack::Call stream_call(const PostSettings& settings, const std::string& place,
                        const std::string& text);

}  // namespace commands
