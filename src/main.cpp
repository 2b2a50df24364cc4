// The table of commands, and the only place where errors become exit codes.
#include <fmt/format.h>

#include <span>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hide_memory.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/azure_options.hpp"
#include "commands/azure_run.hpp"
#include "commands/command.hpp"
#include "commands/completion.hpp"
#include "commands/es_options.hpp"
#include "commands/es_tail.hpp"
#include "commands/gollum_notify.hpp"
#include "commands/gollum_options.hpp"
#include "commands/help.hpp"
#include "commands/licenses.hpp"
#include "commands/manual.hpp"
#include "commands/options.hpp"
#include "commands/parse.hpp"
#include "commands/report.hpp"
#include "commands/serve_options.hpp"
#include "commands/slack_post.hpp"
#include "commands/slack_post_options.hpp"
#include "commands/slack_serve.hpp"
#include "commands/udp_load.hpp"
#include "commands/udp_options.hpp"
#include "commands/udp_seed_flags.hpp"
#include "commands/version.hpp"

namespace {

using commands::Arguments;

std::span<const commands::Command> all_commands();

// What tells of all commands.
commands::Run add_completion(CLI::App& app, const base::Env& env) {
  return commands::add_completion(app, env, all_commands());
}

commands::Run add_manual(CLI::App& app, const base::Env& env) {
  return commands::add_manual(app, env, all_commands());
}

constexpr commands::Command kCommands[] = {
    {commands::kGollumNotify, "tell Slack which wiki pages changed", commands::add_gollum_notify,
     commands::gollum_options, commands::gollum_help},
    {commands::kSlackPost, "post a text, a payload, files or a stream to Slack",
     commands::add_slack_post, commands::slack_post_options, commands::slack_post_help},
    {commands::kSlackServe, "answer Slack as a bot, on a port or as an Azure Function",
     commands::add_slack_serve, commands::slack_serve_options, commands::slack_serve_help},
    {commands::kAzureRun, "run a script on Azure virtual machines", commands::add_azure_run,
     commands::azure_options, commands::azure_help},
    {commands::kEsTail, "tail an EventStoreDB stream, or run event processors on it",
     commands::add_es_tail, commands::es_options, commands::es_help},
    {commands::kUdpLoad, "load a network with simulated calls, and say how good they would be",
     commands::add_udp_load, commands::udp_options, commands::udp_help,
     commands::without_seed_flags},
    {commands::kCompletion, "print what lets a shell complete command lines", add_completion,
     commands::completion_options, commands::completion_help},
    {commands::kManual, "print a manual page", add_manual, commands::manual_options,
     commands::manual_help},
    {commands::kLicenses, "name what is linked into this program, and its licences",
     commands::add_licenses, commands::licenses_options, commands::licenses_help},
};

std::span<const commands::Command> all_commands() {
  return kCommands;
}

const commands::Command& command_named(const std::string& name) {
  Arguments names = {"help", "version", "--help", "--version"};
  for (const commands::Command& command : kCommands) {
    if (name == command.name) return command;
    names.emplace_back(command.name);
  }
  const std::string meant = base::nearest(name, names);
  throw base::Error(
      base::exit_usage,
      fmt::format("unknown {} {}{}; {} --help lists all commands",
                  name.starts_with('-') ? "option" : "command", commands::shown_value(name),
                  meant.empty() ? "" : fmt::format("; did you mean {}?", meant), PRODUCT_NAME));
}

bool is_help(const std::string& word) {
  return word == "help" || word == "--help" || word == "-h";
}

bool is_version(const std::string& word) {
  return word == "version" || word == "--version";
}

// A GitHub action names the command by input, as it has no arguments; the first one is the default.
Arguments with_command(Arguments arguments, const base::Env& env) {
  const std::string first = arguments.empty() ? "-" : arguments.front();
  const bool complete = !first.starts_with('-') || is_help(first) || is_version(first);
  if (complete || !commands::in_actions(env)) return arguments;
  const std::string input = base::trim(env("INPUT_COMMAND"));
  arguments.insert(arguments.begin(), input.empty() ? kCommands[0].name : input);
  return arguments;
}

int run_arguments(Arguments arguments, const base::Env& env) {
  if (arguments.empty()) {
    base::write_stderr(commands::overview(kCommands));
    return base::exit_usage;
  }
  const std::string first = arguments.front();
  arguments.erase(arguments.begin());
  if (is_help(first) && !arguments.empty()) {
    return commands::run_command(command_named(arguments.front()), {"--help"}, env);
  }
  if (is_help(first)) {
    base::write_stdout(commands::overview(kCommands));
    return base::exit_ok;
  }
  if (is_version(first)) {
    base::write_stdout(commands::version_text());
    return base::exit_ok;
  }
  return commands::run_command(command_named(first), arguments, env);
}

// "gollum-notify" when the arguments name a command; for error lines.
std::string name_of(const Arguments& arguments) {
  for (const commands::Command& command : kCommands) {
    if (!arguments.empty() && arguments.front() == command.name) return command.name;
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  base::hide_memory();
  base::fill_standard_streams();
  base::exit_on_signals();
  base::exit_on_uncaught();
  const base::Env env = base::process_env();
  const Arguments arguments = with_command(Arguments(argv + 1, argv + argc), env);
  try {
    return run_arguments(arguments, env);
  } catch (const base::Error& error) {
    commands::report_error(env, name_of(arguments), error);
    return error.code();
  } catch (const std::exception& error) {
    const base::Error ours(base::exit_our_bug, fmt::format("{}; please report this", error.what()));
    commands::report_error(env, name_of(arguments), ours);
    return ours.code();
  }
}
