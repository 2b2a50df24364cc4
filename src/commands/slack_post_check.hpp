// slack-post --check: the documents and files, the message, the way to Slack.
#pragma once

#include "commands/options.hpp"

namespace commands {

// Prints what it finds; the exit code. Reads no standard input. Throws 64 for options that can't be
// right.
int check_slack_post(const Options& options);

}  // namespace commands
