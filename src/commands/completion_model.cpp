#include "commands/completion_model.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/help.hpp"

namespace commands {

namespace {

Value value_of(const Option& option) {
  if (option.kind == Kind::toggle) return Value::none;
  if (option.kind == Kind::choice) return Value::choice;
  if (option.value_name.find("@FILE") != std::string::npos) return Value::at_file;
  if (option.value_name.starts_with("FILE")) return Value::file;
  return option.value_name == "DIR" ? Value::folder : Value::free;
}

// The first clause of the help, short enough for a list in a terminal.
std::string short_help(const Option& option) {
  return base::one_line(option.help.substr(0, option.help.find(';')));
}

Flag flag_of(const Option& option) {
  Flag flag;
  for (const std::string& name : base::split(option.names, ',')) {
    if (name.starts_with('-')) flag.names.push_back(name);
  }
  flag.value = value_of(option);
  flag.choices = choices_of(option);
  flag.value_name = option.value_name;
  flag.help = short_help(option);
  const bool is_list = option.kind == Kind::lines || option.kind == Kind::items ||
                       option.kind == Kind::words || option.value_name == "LIST";
  flag.is_repeatable = is_list;
  return flag;
}

WordsAfter& entry_of(std::vector<WordsAfter>& entries, const std::string& path) {
  for (WordsAfter& entry : entries) {
    if (entry.path == path) return entry;
  }
  entries.push_back({path, {}, false});
  return entries.back();
}

// "checkpoints list" of es-tail: checkpoints after es-tail, list after es-tail checkpoints.
void add_words(std::vector<WordsAfter>& entries, std::string path, const std::string& words,
               const std::vector<std::string>& names) {
  for (const std::string& word : base::split(words, ' ')) {
    WordsAfter& entry = entry_of(entries, path);
    if (word == "FILE") {
      entry.is_file = true;
    } else if (word == "COMMAND") {
      entry.words = names;
    } else if (std::find(entry.words.begin(), entry.words.end(), word) == entry.words.end()) {
      entry.words.push_back(word);
    }
    path += path.empty() ? word : " " + word;
  }
}

}  // namespace

std::vector<CommandWords> command_words(std::span<const Command> commands) {
  std::vector<CommandWords> all;
  for (const Command& command : commands) {
    CommandWords words{command.name, command.summary, {}};
    for (const Option& option : command.options()) words.flags.push_back(flag_of(option));
    words.flags.push_back({{"--help", "-h"}, Value::none, {}, "", "print the help", false});
    all.push_back(std::move(words));
  }
  return all;
}

std::vector<WordsAfter> words_after(std::span<const Command> commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  std::vector<WordsAfter> entries;
  add_words(entries, "", "COMMAND", names);
  for (const char* word : {"help", "version"}) add_words(entries, "", word, names);
  add_words(entries, "help", "COMMAND", names);
  for (const Command& command : commands) {
    for (const Option& option : command.options()) {
      const bool stands_alone = !base::split(option.names, ',').back().starts_with('-');
      if (!stands_alone) continue;
      for (const std::string& word : choices_of(option)) {
        add_words(entries, command.name, word, names);
      }
    }
    for (const std::string& words : command.page().words) {
      add_words(entries, command.name, words, names);
    }
  }
  return entries;
}

}  // namespace commands
