// slack-serve --check: the bot's file and what its handlers need on this machine, what Slack says
// of the tokens, the port and the clock.
#pragma once

#include "commands/options.hpp"

namespace commands {

// Prints what it finds; the exit code. Throws 64 for options that can't be right. Of Socket Mode an
// address for a connection is asked for, and not used: it goes out of date by itself.
int check_slack_serve(const Options& options);

}  // namespace commands
