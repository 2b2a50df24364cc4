// What a shell has to know of the commands, taken from their tables and pages; the same for every
// shell.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "commands/command.hpp"
#include "commands/options.hpp"

namespace commands {

// What a person may write there.
enum class Value {
  none,     // a toggle needs none
  choice,   // one of the words
  file,     // a file's name
  at_file,  // the same behind an @, or a text
  folder,
  free,  // what no shell can know
};

struct Flag {
  std::vector<std::string> names;  // "--name", "-n"
  Value value = Value::free;
  std::vector<std::string> choices;
  std::string value_name;
  std::string help;  // one line
  bool is_repeatable = false;
};

// A word that may follow the words in front of it: {"checkpoints"} for list, set and reset.
struct WordsAfter {
  std::string path;                // "es-tail checkpoints"; "" for the first word of all
  std::vector<std::string> words;  // in the order of their declaration
  bool is_file = false;            // files, from here on
};

struct CommandWords {
  std::string name;
  std::string summary;
  std::vector<Flag> flags;  // --help included
};

std::vector<CommandWords> command_words(std::span<const Command> commands);

// For all commands, what may stand where; "help" too.
std::vector<WordsAfter> words_after(std::span<const Command> commands);

}  // namespace commands
