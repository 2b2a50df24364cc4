// completion: prints the script by which bash, zsh or fish complete command lines of this program.
// It is made from what the commands declare and does not call the program again.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "commands/command.hpp"
#include "commands/help.hpp"
#include "commands/options.hpp"

namespace commands {

inline constexpr const char* kCompletion = "completion";

std::vector<Option> completion_options();
Page completion_help();
Run add_completion(CLI::App& app, const base::Env& env, std::span<const Command> commands);

// The scripts.
std::string bash_completion(std::span<const Command> commands);
std::string zsh_completion(std::span<const Command> commands);
std::string fish_completion(std::span<const Command> commands);

}  // namespace commands
