#include "commands/slack_post.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.hpp"
#include "commands/clear_text.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "commands/slack_compose.hpp"
#include "commands/slack_places.hpp"
#include "commands/slack_post_check.hpp"
#include "commands/slack_post_options.hpp"
#include "commands/slack_stream.hpp"

namespace commands {

namespace {

// What later steps read when this one ends before it knows more; GitHub takes the last value.
void write_first_outputs(const base::Env& env) {
  write_output(env, "ok", "false");
  write_output(env, "results", "{}");
}

int post(const Options& options, const PostSettings& settings) {
  const base::Env& env = options.env();
  std::vector<Sending> sendings = compose_post(options, settings);
  for (const std::string& place : places_without_message(settings)) {
    report_notice(env, kSlackPost,
                  place + ": an earlier step posted no message there, so none is changed");
  }
  if (!settings.dry_run) {
    resolve_places(sendings, settings);
    send_all(sendings, settings.delivery.sender, settings.line, env, kSlackPost);
  }
  tell_all({[&] { print_sendings(sendings, settings.dry_run, settings.as_json, env); },
            [&] { write_sending_outputs(env, sendings); }});
  return settings.errors ? exit_code_of(sendings) : base::exit_ok;
}

int run(const Options& options) {
  const base::Env& env = options.env();
  for (const char* secret : {"webhook", "token", "proxy"}) {
    report_secret(env, options.text(secret));
  }
  if (options.toggle("check")) return check_slack_post(options);
  write_first_outputs(env);
  const PostSettings settings = read_post_settings(options);
  warn_of_clear_text(env, kSlackPost, settings.delivery.sender);
  return settings.is_stream ? run_stream(options, settings) : post(options, settings);
}

}  // namespace

Run add_slack_post(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, slack_post_options(), env);
  set_help(app, slack_post_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
