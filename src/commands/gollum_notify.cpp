#include "commands/gollum_notify.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "commands/clear_text.hpp"
#include "commands/gollum_check.hpp"
#include "commands/gollum_options.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "gollum/digest.hpp"
#include "gollum/message.hpp"
#include "gollum/summary.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

constexpr size_t kMaxOutputBytes = 500'000;  // GitHub takes 1 MB of outputs from a job

// What the options say, read whole before anything is done: a wrong value is told at once, not on
// the day when a page passes the filters.
struct Settings {
  bool dry_run = false;
  bool as_json = false;
  Delivery delivery;
  std::vector<gollum::Route> routes;
  gollum::Filters filters;
  size_t excerpt_lines = 0;
  std::string text_prefix;
  slack::Mentions mentions;
  slack::Looks looks;
  slack::Line line;
};

Settings read_settings(const Options& options) {
  Settings settings;
  settings.dry_run = options.toggle("dry-run");
  settings.as_json = wants_json(options);
  settings.routes = read_routes(options);
  settings.delivery = read_delivery(options, !settings.routes.empty());
  check_usage(options, settings.delivery, !settings.routes.empty());
  settings.filters = read_filters(options);
  settings.excerpt_lines = static_cast<size_t>(options.number("excerpt-lines", 0, 50));
  settings.text_prefix = read_text_prefix(options);
  settings.mentions = read_mentions(options);
  settings.looks = read_looks(options);
  settings.line = make_line(options, kGollumNotify);
  return settings;
}

std::vector<Sending> compose(const gollum::Digest& digest, const Settings& settings) {
  const gollum::MessageOptions message_options{
      settings.text_prefix, slack::mention_of(settings.mentions, digest.sender.login)};
  const bool by_webhook = !settings.delivery.sender.webhook.empty();
  std::vector<std::string> channels = settings.delivery.channels;
  if (channels.empty() && settings.routes.empty()) channels.emplace_back();  // the webhook's own
  std::vector<Sending> sendings;
  for (const auto& [channel, part] : gollum::routed(digest, settings.routes, channels)) {
    slack::Message message = gollum::make_message(part, message_options);
    message.looks = settings.looks;
    message.channel = channel;
    message.thread_ts = settings.delivery.thread_ts;
    Sending sending;
    sending.place = by_webhook ? "webhook" : channel;
    sending.done =
        fmt::format("told {} of {}", sending.place, gollum::page_count(part.changes.size()));
    sending.calls = {{slack::kPostMessage, slack::payload(message)}};
    sendings.push_back(std::move(sending));
  }
  return sendings;
}

void write_outputs(const base::Env& env, const gollum::Digest& digest,
                   const std::vector<Sending>& sendings) {
  write_output(env, "matched", std::to_string(digest.changes.size()));
  write_output(env, "pages", json::write(gollum::to_json(digest, kMaxOutputBytes)));
  write_sending_outputs(env, sendings);
}

// What later steps read when this one ends before it knows more; GitHub takes the last value.
void write_first_outputs(const base::Env& env) {
  write_output(env, "matched", "0");
  write_output(env, "pages", "[]");
  write_output(env, "ok", "false");
  write_output(env, "results", "{}");
}

int tell_nothing(const Settings& settings, const base::Env& env, const std::string& why) {
  report_notice(env, kGollumNotify, fmt::format("nothing to tell: {}", why));
  write_outputs(env, {}, {});
  if (settings.as_json && !settings.dry_run) print_json(env, "{}\n");
  return base::exit_ok;
}

// "told #ops; NOT told: #docs: not_in_channel…", for the job summary.
std::string outcome(const std::vector<Sending>& sendings) {
  std::string text;
  for (const Sending& sending : sendings) {
    if (!text.empty()) text += "; ";
    if (is_sent(sending)) text += "told " + sending.place;
    if (sending.error) text += fmt::format("NOT told: {}", sending.error->what());
    if (!is_sent(sending) && !sending.error) text += "dry run, nothing sent";
  }
  return text;
}

// The pages that have a channel; of the others a notice.
gollum::Digest with_channel(const gollum::Digest& digest, const Settings& settings,
                            const base::Env& env) {
  const bool by_route_only = !settings.routes.empty() && settings.delivery.channels.empty();
  if (!by_route_only) return digest;
  gollum::Digest told = gollum::with_route(digest, settings.routes);
  const size_t left_out = digest.changes.size() - told.changes.size();
  if (left_out > 0) {
    report_notice(
        env, kGollumNotify,
        fmt::format("no route fits {}, and there is no --channel", gollum::page_count(left_out)));
  }
  return told;
}

// Sends the digest, or shows it, and leaves word of it everywhere. Returns the exit code.
int tell(const gollum::Digest& digest, const Settings& settings, const base::Env& env) {
  std::vector<Sending> sendings = compose(digest, settings);
  if (!settings.dry_run) {
    send_all(sendings, settings.delivery.sender, settings.line, env, kGollumNotify);
  }
  tell_all({[&] { print_sendings(sendings, settings.dry_run, settings.as_json, env); },
            [&] { write_outputs(env, digest, sendings); },
            [&] { write_summary(env, gollum::summary_markdown(digest, outcome(sendings))); }});
  return exit_code_of(sendings);
}

int run(const Options& options) {
  const base::Env& env = options.env();
  for (const char* secret : {"webhook", "token", "proxy"}) report_secret(env, options.text(secret));
  if (options.toggle("check")) return check_gollum_notify(options);
  write_first_outputs(env);
  const Settings settings = read_settings(options);
  warn_of_clear_text(env, kGollumNotify, settings.delivery.sender);
  const std::optional<gollum::Event> event = read_event(options);
  if (!event) {
    write_outputs(env, {}, {});
    return base::exit_ok;
  }
  const gollum::Digest whole =
      gollum::make_digest(*event, read_diff(options), settings.excerpt_lines);
  const gollum::Digest digest = gollum::filtered(whole, settings.filters);
  if (whole.changes.empty()) return tell_nothing(settings, env, "the event names no pages");
  if (digest.changes.empty()) {
    return tell_nothing(
        settings, env,
        fmt::format("no filter lets any of {} through", gollum::page_count(whole.changes.size())));
  }
  const gollum::Digest told = with_channel(digest, settings, env);
  if (told.changes.empty()) return tell_nothing(settings, env, "no page has a channel");
  return tell(told, settings, env);
}

}  // namespace

Run add_gollum_notify(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, gollum_options(), env);
  set_help(app, gollum_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
