// From the words of a command line to the command that they name; help and version beside the
// commands.
#pragma once

#include <span>
#include <string>

#include "commands/command.hpp"
#include "commands/parse.hpp"

namespace commands {

// The arguments with a command in front. A GitHub action has none: it names the command by its
// input, and the first command is the default.
Arguments with_command(Arguments arguments, std::span<const Command> all, const base::Env& env);

// "gollum-notify" when the arguments name a command, else "".
std::string name_of(const Arguments& arguments, std::span<const Command> all);

// Runs what the arguments name and returns its exit code; without any it prints the overview and
// returns 64. Throws 64 for a command that is none, with the nearest one there is.
int dispatch(Arguments arguments, std::span<const Command> all, const base::Env& env);

}  // namespace commands
