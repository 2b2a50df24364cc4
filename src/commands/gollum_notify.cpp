#include "commands/gollum_notify.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "commands/gollum_options.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "gollum/digest.hpp"
#include "gollum/summary.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

constexpr const char* kName = "gollum-notify";
constexpr size_t kMaxOutputBytes = 500'000;  // GitHub takes 1 MB of outputs from a job

bool wants_json(const Options& options) {
  const std::string output = options.text("output");
  if (output != "text" && output != "json") {
    throw base::Error(base::exit_usage, fmt::format("--output '{}' is neither text nor json",
                                                    base::one_line(output)));
  }
  return output == "json" || options.toggle("json");
}

std::vector<Sending> compose(const gollum::Digest& digest, const Options& options,
                             const Delivery& delivery, const std::vector<gollum::Route>& routes) {
  const gollum::MessageOptions message_options = read_message_options(options, digest.sender);
  const slack::Looks looks = read_looks(options);
  std::vector<std::string> channels = delivery.channels;
  if (channels.empty() && routes.empty()) channels.emplace_back();  // the webhook's own
  std::vector<Sending> sendings;
  for (const auto& [channel, part] : gollum::routed(digest, routes, channels)) {
    Sending sending;
    sending.message = gollum::make_message(part, message_options);
    sending.message.looks = looks;
    sending.message.channel = channel;
    sending.message.thread_ts = delivery.thread_ts;
    sending.subject = gollum::page_count(part.changes.size());
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

int tell_nothing(const Options& options, const std::string& why) {
  report_notice(options.env(), kName, fmt::format("nothing to tell: {}", why));
  write_outputs(options.env(), {}, {});
  return base::exit_ok;
}

// "told #ops; not told #docs: not_in_channel…", for the job summary.
std::string outcome(const std::vector<Sending>& sendings) {
  std::string text;
  for (const Sending& sending : sendings) {
    if (!text.empty()) text += "; ";
    if (sending.receipt) text += "told " + channel_label(sending.message);
    if (sending.error) text += fmt::format("NOT told: {}", sending.error->what());
    if (!sending.receipt && !sending.error) text += "dry run: " + channel_label(sending.message);
  }
  return text;
}

void print(const std::vector<Sending>& sendings, const Options& options, bool dry_run) {
  const bool as_json = wants_json(options);
  const bool styled = ::isatty(STDOUT_FILENO) == 1 && options.env()("NO_COLOR").empty();
  std::string text;
  if (dry_run) {
    text = dry_run_text(sendings, as_json, styled);
  } else {
    text = as_json ? json::write(results_json(sendings)) + "\n" : sent_text(sendings);
  }
  print_result(options.env(), text);
}

// Sends the digest, or shows it, and leaves word of it everywhere. Returns the exit code.
int tell(const gollum::Digest& digest, const Options& options, const Delivery& delivery,
         const std::vector<gollum::Route>& routes) {
  const base::Env& env = options.env();
  const bool dry_run = options.toggle("dry-run");
  std::vector<Sending> sendings = compose(digest, options, delivery, routes);
  if (sendings.empty()) {
    return tell_nothing(options, "no route fits, and there is no --channel for the other pages");
  }
  if (!dry_run) send_all(sendings, delivery.sender, make_line(options, kName), env, kName);
  write_outputs(env, digest, sendings);
  write_summary(env, gollum::summary_markdown(digest, outcome(sendings)));
  print(sendings, options, dry_run);
  throw_failures(sendings, env, kName);
  return base::exit_ok;
}

int run(const Options& options) {
  write_first_outputs(options.env());
  wants_json(options);  // a wrong value is told before anything is sent
  const std::vector<gollum::Route> routes = read_routes(options);
  const Delivery delivery = read_delivery(options, !routes.empty());
  report_secret(options.env(), delivery.sender.webhook);
  report_secret(options.env(), delivery.sender.token);
  check_usage(options, delivery, !routes.empty());
  const gollum::Filters filters = read_filters(options);
  const auto excerpt_lines = static_cast<size_t>(options.number("excerpt-lines", 0, 50));

  const std::optional<gollum::Event> event = read_event(options);
  if (!event) {
    write_outputs(options.env(), {}, {});
    return base::exit_ok;
  }
  const gollum::Digest whole = gollum::make_digest(*event, read_diff(options), excerpt_lines);
  const gollum::Digest digest = gollum::filtered(whole, filters);
  if (whole.changes.empty()) return tell_nothing(options, "the event names no pages");
  if (digest.changes.empty()) {
    return tell_nothing(options, fmt::format("no filter lets any of {} through",
                                             gollum::page_count(whole.changes.size())));
  }
  return tell(digest, options, delivery, routes);
}

}  // namespace

Run add_gollum_notify(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, gollum_options(), env);
  set_help(app, gollum_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
