#include <fmt/format.h>

#include "base/text.hpp"
#include "commands/completion.hpp"
#include "commands/completion_model.hpp"

namespace commands {

namespace {

// bash takes "--output=json" for three words, "=" in the middle, and "@file" for two; `mark` is
// what stands between the option and the value.
constexpr const char* kBegin =
    R"bash(# bash completion for PROGRAM, made by: PROGRAM completion bash
# Needs bash 4 and nothing else; works beside bash-completion.

_PROGRAM_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}

_PROGRAM_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

_PROGRAM() {
  local IFS=$' \t\n' mark='' flags='' word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  case "$before" in = | @ | =@) mark=$before before=${COMP_WORDS[COMP_CWORD-2]} ;; esac
  case "$word" in = | @ | =@) mark=$word word='' ;; esac
  case "${COMP_WORDS[1]}" in
)bash";

constexpr const char* kMiddle = R"bash(  esac
  case "$word" in -*) _PROGRAM_words "$flags"; return ;; esac
  case "${COMP_WORDS[*]:1:COMP_CWORD-1}" in
)bash";

constexpr const char* kEnd = R"bash(  esac
}

complete -F _PROGRAM PROGRAM
)bash";

std::string action(const Flag& flag) {
  switch (flag.value) {
    case Value::choice:
      return fmt::format("_{}_words '{}'; ", PRODUCT_NAME, base::join(flag.choices, " "));
    case Value::file:
      return fmt::format("_{}_files -f; ", PRODUCT_NAME);
    case Value::folder:
      return fmt::format("_{}_files -d; ", PRODUCT_NAME);
    case Value::at_file:
      return fmt::format("[[ $mark != *@ ]] || _{}_files -f; ", PRODUCT_NAME);
    case Value::none:
    case Value::free:
      break;
  }
  return "";
}

std::string flags_of(const CommandWords& command) {
  std::vector<std::string> names;
  std::string values;
  for (const Flag& flag : command.flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
    if (flag.value == Value::none) continue;
    values += fmt::format("        {}) {}return ;;\n", base::join(flag.names, " | "), action(flag));
  }
  std::string text =
      fmt::format("    {})\n      flags='{}'\n", command.name, base::join(names, " "));
  if (!values.empty()) text += fmt::format("      case \"$before\" in\n{}      esac\n", values);
  return text + "      ;;\n";
}

std::string words_of(const WordsAfter& entry) {
  if (entry.is_file) {
    return fmt::format("    '{}'*) _{}_files -f ;;\n", entry.path, PRODUCT_NAME);
  }
  return fmt::format("    '{}') _{}_words '{}' ;;\n", entry.path, PRODUCT_NAME,
                     base::join(entry.words, " "));
}

}  // namespace

std::string bash_completion(std::span<const Command> commands) {
  std::string text = kBegin;
  for (const CommandWords& command : command_words(commands)) text += flags_of(command);
  text += kMiddle;
  for (const WordsAfter& entry : words_after(commands)) text += words_of(entry);
  return base::replace_all(text + kEnd, "PROGRAM", PRODUCT_NAME);
}

}  // namespace commands
