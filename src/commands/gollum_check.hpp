// gollum-notify --check: the event, the files, the way to Slack.
#pragma once

#include "commands/options.hpp"

namespace commands {

// Prints what it finds; the exit code. Throws 64 for options that can't be right.
int check_gollum_notify(const Options& options);

}  // namespace commands
