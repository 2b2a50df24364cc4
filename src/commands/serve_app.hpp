// slack-serve --write-function-app and --zip: an Azure Functions app of the bot.
#pragma once

#include "commands/options.hpp"

namespace commands {

// Writes host.json, a folder for each function (the one that Slack calls and the bot's own paths),
// the bot's file and a copy of this binary into a folder that does not exist or is empty, or a zip
// file. Throws 64 for names that Azure does not take, 74 when it can't be written.
int write_function_app(const Options& options);

}  // namespace commands
