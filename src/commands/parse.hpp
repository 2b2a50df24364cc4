// One command line of one command: parsed first, run afterwards.
#pragma once

#include <string>
#include <vector>

#include "commands/command.hpp"

namespace commands {

using Arguments = std::vector<std::string>;

// Declares the command's options, parses the arguments behind its name, runs it and returns its
// exit code. --help prints the help instead. Throws 64 for an unknown option, with the nearest one
// there is, for an argument that nobody takes, and for a missing value; no value is repeated in the
// text.
int run_command(const Command& command, const Arguments& arguments, const base::Env& env);

}  // namespace commands
