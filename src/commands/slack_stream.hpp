// slack-post --stream: standard input to Slack as it comes.
#pragma once

#include "commands/options.hpp"
#include "commands/slack_post_options.hpp"

namespace commands {

// Runs until the end of standard input, a stop, or until no channel takes messages any more.
// Returns the exit code: 75 when the drain time-out left lines behind, else the first channel's
// failure.
int run_stream(const Options& options, PostSettings settings);

}  // namespace commands
