// gollum-notify: tells Slack which wiki pages changed.
#pragma once

#include "commands/command.hpp"

namespace commands {

inline constexpr const char* kGollumNotify = "gollum-notify";

Run add_gollum_notify(CLI::App& app, const base::Env& env);

}  // namespace commands
