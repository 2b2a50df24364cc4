// slack-serve: the Slack bot, on a port or as an Azure Function.
#pragma once

#include "commands/command.hpp"

namespace commands {

inline constexpr const char* kSlackServe = "slack-serve";

Run add_slack_serve(CLI::App& app, const base::Env& env);

}  // namespace commands
