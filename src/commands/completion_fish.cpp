#include <fmt/format.h>

#include "base/text.hpp"
#include "commands/completion.hpp"
#include "commands/completion_model.hpp"

namespace commands {

namespace {

constexpr const char* kBegin =
    R"fish(# fish completion for PROGRAM, made by: PROGRAM completion fish

# Whether exactly these words stand in front of the one that is written.
function __PROGRAM_after
    set -l words (commandline -opc)
    set -e words[1]
    test "$words" = "$argv"
end

# Whether these words stand in front, whatever is behind them.
function __PROGRAM_in
    set -l words (commandline -opc)
    set -e words[1]
    string match -q -- "$argv *" "$words "
end

# An @ and a file's name.
function __PROGRAM_at_files
    set -l word (commandline -ct | string replace -r '^-[^=]*=' '')
    string match -q -- '@*' $word
    and printf '@%s\n' (__fish_complete_path (string sub -s 2 -- $word))
end

complete -c PROGRAM -f
)fish";

std::string quoted(std::string text) {
  text = base::replace_all(text, "\\", "\\\\");
  return "'" + base::replace_all(text, "'", "\\'") + "'";
}

std::string action(const Flag& flag) {
  switch (flag.value) {
    case Value::none:
      return "";
    case Value::choice:
      return fmt::format(" -x -a {}", quoted(base::join(flag.choices, " ")));
    case Value::file:
      return " -r -F";
    case Value::folder:
      return " -x -a '(__fish_complete_directories)'";
    case Value::at_file:
      return " -x -a '(__PROGRAM_at_files)'";
    case Value::free:
      break;
  }
  return " -x";
}

std::string flag_line(const CommandWords& command, const Flag& flag) {
  std::string names;
  for (const std::string& name : flag.names) {
    const bool is_long = name.starts_with("--");
    names += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
  }
  return fmt::format("complete -c PROGRAM -n '__PROGRAM_in {}'{}{} -d {}\n", command.name, names,
                     action(flag), quoted(flag.help));
}

std::string words_line(const WordsAfter& entry) {
  if (entry.is_file) {
    return fmt::format("complete -c PROGRAM -n '__PROGRAM_in {}' -F\n", entry.path);
  }
  return fmt::format("complete -c PROGRAM -n '__PROGRAM_after {}' -a {}\n", entry.path,
                     quoted(base::join(entry.words, " ")));
}

}  // namespace

std::string fish_completion(std::span<const Command> commands) {
  std::string text = kBegin;
  for (const Command& command : commands) {
    text += fmt::format("complete -c PROGRAM -n __PROGRAM_after -a {} -d {}\n", command.name,
                        quoted(command.summary));
  }
  for (const WordsAfter& entry : words_after(commands)) {
    const bool is_first = entry.path.empty();
    text +=
        is_first ? "complete -c PROGRAM -n __PROGRAM_after -a 'help version'\n" : words_line(entry);
  }
  for (const CommandWords& command : command_words(commands)) {
    for (const Flag& flag : command.flags) text += flag_line(command, flag);
  }
  return base::replace_all(text, "PROGRAM", PRODUCT_NAME);
}

}  // namespace commands
