// The message about a workflow's job: how it ended, where, by which commit.
#pragma once

#include <string>

#include "commands/options.hpp"
#include "slack/message.hpp"

namespace commands {

// --status, --duration, --mention-on, --mentions.
std::vector<Option> status_options();

// The message for --status, coloured by it: workflow, job, branch, commit, author, duration, with
// links, and the mentions that --mention-on wants for this status. `text`, mrkdwn already, stands
// below. Throws 64, 65 for a mention that is not known.
slack::Message status_message(const Options& options, const std::string& text);

}  // namespace commands
