// Help texts, made from what the commands declare.
#pragma once

#include <span>
#include <string>

#include "commands/command.hpp"
#include "commands/options.hpp"

namespace commands {

// What a command says of itself beside its options.
struct Page {
  std::string usage;     // behind "opsbelt NAME "
  std::string about;     // a paragraph
  std::string examples;  // lines a person would paste
  // What may stand directly behind the name, for completion: "checkpoints list", "merge FILE". FILE
  // and COMMAND stand for any one.
  std::vector<std::string> words = {};
};

// Makes `--help` of the app print the page, the options by group and the exit codes.
void set_help(CLI::App& app, const Page& page, const std::vector<Option>& table);

// One line a command.
std::string overview(std::span<const Command> commands);

}  // namespace commands
