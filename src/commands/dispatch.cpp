#include "commands/dispatch.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/help.hpp"
#include "commands/options.hpp"
#include "commands/report.hpp"
#include "commands/version.hpp"

namespace commands {

namespace {

bool is_help(const std::string& word) {
  return word == "help" || word == "--help" || word == "-h";
}

bool is_version(const std::string& word) {
  return word == "version" || word == "--version";
}

const Command& command_named(const std::string& name, std::span<const Command> all) {
  Arguments names = {"help", "version", "--help", "--version"};
  for (const Command& command : all) {
    if (name == command.name) return command;
    names.emplace_back(command.name);
  }
  const std::string meant = base::nearest(name, names);
  throw base::Error(
      base::exit_usage,
      fmt::format("unknown {} {}{}; {} --help lists all commands",
                  name.starts_with('-') ? "option" : "command", shown_value(name),
                  meant.empty() ? "" : fmt::format("; did you mean {}?", meant), PRODUCT_NAME));
}

}  // namespace

Arguments with_command(Arguments arguments, std::span<const Command> all, const base::Env& env) {
  const std::string first = arguments.empty() ? "-" : arguments.front();
  const bool is_complete = !first.starts_with('-') || is_help(first) || is_version(first);
  if (is_complete || !in_actions(env)) return arguments;
  const std::string input = base::trim(env("INPUT_COMMAND"));
  arguments.insert(arguments.begin(), input.empty() ? all.front().name : input);
  return arguments;
}

std::string name_of(const Arguments& arguments, std::span<const Command> all) {
  for (const Command& command : all) {
    if (!arguments.empty() && arguments.front() == command.name) return command.name;
  }
  return "";
}

int dispatch(Arguments arguments, std::span<const Command> all, const base::Env& env) {
  if (arguments.empty()) {
    base::write_stderr(overview(all));
    return base::exit_usage;
  }
  const std::string first = arguments.front();
  arguments.erase(arguments.begin());
  if (is_help(first) && !arguments.empty()) {
    return run_command(command_named(arguments.front(), all), {"--help"}, env);
  }
  if (is_help(first)) {
    base::write_stdout(overview(all));
    return base::exit_ok;
  }
  if (is_version(first)) {
    base::write_stdout(version_text());
    return base::exit_ok;
  }
  return run_command(command_named(first, all), arguments, env);
}

}  // namespace commands
