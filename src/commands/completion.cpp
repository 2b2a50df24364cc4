#include "commands/completion.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"

namespace commands {

namespace {

int run(const Options& options, std::span<const Command> commands) {
  const std::string shell = options.choice("shell");
  if (shell.empty()) {
    throw base::Error(base::exit_usage, "no shell is named; it is bash, zsh or fish: " PRODUCT_NAME
                                        " completion bash");
  }
  if (shell == "bash") base::write_stdout(bash_completion(commands));
  if (shell == "zsh") base::write_stdout(zsh_completion(commands));
  if (shell == "fish") base::write_stdout(fish_completion(commands));
  return base::exit_ok;
}

}  // namespace

std::vector<Option> completion_options() {
  return {
      {"Shell", "--shell,SHELL", "bash|zsh|fish", "", "", "whose script is printed", Kind::choice}};
}

Page completion_help() {
  return {"bash|zsh|fish",
          "Prints a script by which the shell completes command lines of this program: commands, "
          "options, words that an option knows, names of files. Packages bring these scripts "
          "along; without one put it where the shell looks.",
          "  source <(" PRODUCT_NAME
          " completion bash)\n"
          "  " PRODUCT_NAME " completion zsh > ~/.zsh/completions/_" PRODUCT_NAME
          "\n"
          "  " PRODUCT_NAME " completion fish > ~/.config/fish/completions/" PRODUCT_NAME
          ".fish\n"};
}

Run add_completion(CLI::App& app, const base::Env& env, std::span<const Command> commands) {
  const auto options = std::make_shared<Options>(app, completion_options(), env);
  set_help(app, completion_help(), options->table());
  return [options, commands] { return run(*options, commands); };
}

}  // namespace commands
