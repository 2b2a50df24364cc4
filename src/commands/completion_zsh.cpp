#include <fmt/format.h>

#include "base/text.hpp"
#include "commands/completion.hpp"
#include "commands/completion_model.hpp"

namespace commands {

namespace {

constexpr const char* kBegin = R"zsh(#compdef PROGRAM
# zsh completion for PROGRAM, made by: PROGRAM completion zsh

# An @ and a file's name, or a text.
_PROGRAM_at_file() {
  compset -P '*@' && _files
}

# The words behind a command.
_PROGRAM_words() {
  case "$words[1,CURRENT-1]" in
)zsh";

constexpr const char* kMiddle = R"zsh(  esac
}

_PROGRAM() {
  if (( CURRENT == 2 )); then
    local -a commands
    commands=(
)zsh";

constexpr const char* kCommands = R"zsh(    )
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
)zsh";

constexpr const char* kEnd = R"zsh(    *)
      _PROGRAM_words ;;
  esac
}

if [ "$funcstack[1]" = _PROGRAM ]; then
  _PROGRAM "$@"
else
  compdef _PROGRAM PROGRAM
fi
)zsh";

std::string quoted(const std::string& text) {
  return "'" + base::replace_all(text, "'", "'\\''") + "'";
}

std::string escaped(std::string text, const char* special) {
  for (const char* c = special; *c != '\0'; ++c) {
    text = base::replace_all(text, std::string(1, *c), std::string("\\") + *c);
  }
  return text;
}

// ":URL:" and what completes it.
std::string value_spec(const Flag& flag) {
  const std::string name = escaped(flag.value_name, "\\:");
  switch (flag.value) {
    case Value::none:
      return "";
    case Value::choice:
      return fmt::format(":{}:({})", name, base::join(flag.choices, " "));
    case Value::file:
      return fmt::format(":{}:_files", name);
    case Value::folder:
      return fmt::format(":{}:_files -/", name);
    case Value::at_file:
      return fmt::format(":{}:_{}_at_file", name, PRODUCT_NAME);
    case Value::free:
      break;
  }
  return fmt::format(":{}: ", name);
}

// '(-o --output)'{-o+,--output=}'[help]:text|json:(text json)'
std::string flag_spec(const Flag& flag) {
  std::vector<std::string> names;
  for (const std::string& name : flag.names) {
    const char* sign = name.starts_with("--") ? "=" : "+";
    names.push_back(flag.value == Value::none ? name : name + sign);
  }
  const std::string before =
      flag.is_repeatable ? "*" : fmt::format("({})", base::join(flag.names, " "));
  const std::string about = fmt::format("[{}]{}", escaped(flag.help, "\\[]"), value_spec(flag));
  if (names.size() == 1) return quoted(before + names.front() + about);
  return fmt::format("{}{{{}}}{}", quoted(before), base::join(names, ","), quoted(about));
}

std::string flags_of(const CommandWords& command) {
  std::string text = fmt::format("    {})\n      _arguments \\\n", command.name);
  for (const Flag& flag : command.flags) text += fmt::format("        {} \\\n", flag_spec(flag));
  return text + fmt::format("        '*: :_{}_words' ;;\n", PRODUCT_NAME);
}

std::string words_of(const WordsAfter& entry) {
  if (entry.path.empty()) return "";
  if (entry.is_file) return fmt::format("    '{}'*) _files ;;\n", entry.path);
  return fmt::format("    '{}') compadd -- {} ;;\n", entry.path, base::join(entry.words, " "));
}

}  // namespace

std::string zsh_completion(std::span<const Command> commands) {
  const std::vector<CommandWords> all = command_words(commands);
  std::string text = kBegin;
  for (const WordsAfter& entry : words_after(commands)) text += words_of(entry);
  text += kMiddle;
  for (const CommandWords& command : all) {
    text += fmt::format("      {}\n", quoted(command.name + ":" + command.summary));
  }
  text += "      'help:print the help of a command'\n      'version:print the versions'\n";
  text += kCommands;
  for (const CommandWords& command : all) text += flags_of(command);
  return base::replace_all(text + kEnd, "PROGRAM", PRODUCT_NAME);
}

}  // namespace commands
