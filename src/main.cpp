// The table of commands, and the only place where errors become exit codes.
#include <fmt/format.h>

#include <span>
#include <string>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hide_memory.hpp"
#include "base/signals.hpp"
#include "commands/azure_options.hpp"
#include "commands/azure_run.hpp"
#include "commands/command.hpp"
#include "commands/completion.hpp"
#include "commands/dispatch.hpp"
#include "commands/es_options.hpp"
#include "commands/es_tail.hpp"
#include "commands/gollum_notify.hpp"
#include "commands/gollum_options.hpp"
#include "commands/licenses.hpp"
#include "commands/manual.hpp"
#include "commands/report.hpp"
#include "commands/serve_options.hpp"
#include "commands/slack_post.hpp"
#include "commands/slack_post_options.hpp"
#include "commands/slack_serve.hpp"
#include "commands/udp_load.hpp"
#include "commands/udp_options.hpp"
#include "commands/udp_seed_flags.hpp"

namespace {

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

}  // namespace

int main(int argc, char** argv) {
  base::hide_memory();
  base::fill_standard_streams();
  base::exit_on_signals();
  base::exit_on_uncaught();
  const base::Env env = base::process_env();
  const commands::Arguments arguments =
      commands::with_command(commands::Arguments(argv + 1, argv + argc), kCommands, env);
  const std::string name = commands::name_of(arguments, kCommands);
  try {
    return commands::dispatch(arguments, kCommands, env);
  } catch (const base::Error& error) {
    commands::report_error(env, name, error);
    return error.code();
  } catch (const std::exception& error) {
    const base::Error ours(base::exit_our_bug, fmt::format("{}; please report this", error.what()));
    commands::report_error(env, name, ours);
    return ours.code();
  }
}
