// slack-post: posts to Slack what people post from CI and shells.
#pragma once

#include "commands/command.hpp"

namespace commands {

inline constexpr const char* kSlackPost = "slack-post";

Run add_slack_post(CLI::App& app, const base::Env& env);

}  // namespace commands
