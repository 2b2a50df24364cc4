// manual: prints manual pages, roff for man(1), of the program and of each command. Made from what
// the commands declare and from docs/man/NAME.txt: examples, diagnostics, files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "commands/command.hpp"
#include "commands/help.hpp"
#include "commands/options.hpp"

namespace commands {

inline constexpr const char* kManual = "manual";

std::vector<Option> manual_options();
Page manual_help();
Run add_manual(CLI::App& app, const base::Env& env, std::span<const Command> commands);

// opsbelt(1).
std::string program_page(std::span<const Command> commands);

// opsbelt-COMMAND(1).
std::string command_page(const Command& command);

}  // namespace commands
