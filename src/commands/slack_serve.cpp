#include "commands/slack_serve.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/look.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/work_queue.hpp"
#include "commands/clear_text.hpp"
#include "commands/report.hpp"
#include "commands/serve_answers.hpp"
#include "commands/serve_app.hpp"
#include "commands/serve_check.hpp"
#include "commands/serve_events.hpp"
#include "commands/serve_options.hpp"
#include "commands/serve_routes.hpp"
#include "commands/slack_options.hpp"
#include "net/server.hpp"
#include "net/websocket.hpp"
#include "slack/lookup.hpp"
#include "slack/mrkdwn.hpp"
#include "slack/socket_mode.hpp"

namespace commands {

namespace {

constexpr int64_t kLookEveryMs = 100;

// "#ops" and "ops" are names, C0123ABCD is an ID.
std::string without_sigil(const std::string& name) {
  return name.starts_with('#') || name.starts_with('@') ? name.substr(1) : name;
}

// Answers one message on the terminal.
int say(const Options& options) {
  const slack::Bot bot = read_bot_file(options);
  const std::string user = without_sigil(base::trim(options.text("as")));
  const std::string channel = without_sigil(base::trim(options.text("in")));
  const std::string text = options.text("say");
  slack::Heard heard;
  heard.channel = channel;
  heard.channel_name = channel;
  heard.user = user;
  heard.ts = "1700000000.000100";
  heard.text = base::trim(text);
  const std::string called = "@" + bot.name + " ";
  if (heard.text.starts_with(called)) heard.text = base::trim(heard.text.substr(called.size()));
  const size_t space = std::min(text.find(' '), text.size());
  if (text.starts_with('/')) {
    heard.command = text.substr(0, space);
    heard.text = base::trim(text.substr(space));
  }
  const slack::Names names{
      [&](const slack::Heard&) { return std::vector<std::string>{base::lower_ascii(user)}; },
      [&](const slack::Heard& of) { return of.channel_name; }};
  base::stop_on_signals();
  bool went_well = true;
  const auto tasks = slack::tasks_for(bot, heard, names);
  for (const slack::Task& task : tasks) {
    const slack::Reply reply = reply_to(heard, task, options.env(), base::stop_asked);
    print_text(options.env(), slack::plain_text(reply.text) + (reply.text.empty() ? "" : "\n"));
    for (const slack::MadeFile& file : reply.files) {
      print_text(options.env(), fmt::format("[file {}: {}]\n", file.filename, file.path));
    }
    if (!reply.long_output.empty()) {
      print_text(options.env(), slack::plain_text(slack::escape_plain(reply.long_output)) + "\n");
    }
    went_well = went_well && !task.refused && !reply.failed;
  }
  if (tasks.empty()) report_progress(kSlackServe, "no handler answers this");
  return tasks.empty() || !went_well ? base::exit_answer_no : base::exit_ok;
}

// Puts IDs in the place of channels' names, so that a channel that takes over a name gets nothing.
// A name that no channel has stays, and fits none.
void find_channels(const base::Env& env, ServeSettings& settings, const slack::Line& line) {
  for (slack::Handler& handler : settings.bot.handlers) {
    for (std::string& channel : handler.channels) {
      if (slack::is_id(channel)) continue;
      try {
        const std::string name = fmt::format("#{}", channel);
        channel = slack::conversation_id(settings.sender, name, line);
      } catch (const base::Error& error) {
        const bool may_pass = error.code() != base::exit_configuration;
        if (may_pass) throw;
        report_error(
            env, kSlackServe,
            {error.code(), fmt::format("{} answers nowhere: {}", handler.name, error.what())});
      }
    }
  }
}

// Waits and requests end soon after `stop`, which throws away what they were for.
slack::Line stoppable(slack::Line line, const std::function<bool()>& stop) {
  const auto check = [stop] {
    if (stop()) throw base::Error(base::exit_retries_spent, "stopped before it was done");
  };
  const auto sleep_ms = line.clock.sleep_ms;
  line.clock.sleep_ms = [check, sleep_ms](int64_t ms) {
    for (int64_t left_ms = ms; left_ms > 0; left_ms -= kLookEveryMs) {
      check();
      sleep_ms(std::min(left_ms, kLookEveryMs));
    }
  };
  const net::Http http = line.http;
  line.http = [check, http](net::HttpRequest request) {
    request.on_progress = [check](int64_t /*sent_bytes*/) { check(); };
    return http(request);
  };
  return line;
}

// Takes envelopes until a stop is asked for. Each is acknowledged by the queue's answer, so that
// one that can't be queued is delivered again.
void serve_socket(const Options& options, const ServeSettings& settings, Events& events,
                  Metrics& metrics) {
  const auto acknowledgements = std::make_shared<slack::AcknowledgementQueue>();
  slack::SocketMode mode;
  mode.sender = {"", settings.app_token, settings.sender.api};
  mode.line = stoppable(make_line(options, kSlackServe), base::stop_asked);
  net::WebSocketOptions socket;
  socket.curl = curl_options(options);
  mode.open = [socket](const std::string& url) { return net::connect_websocket(url, socket); };
  mode.acknowledgements = acknowledgements.get();
  mode.on_notice = [](const std::string& text) { report_progress(kSlackServe, text); };
  mode.on_envelope = [&](const slack::Envelope& envelope) {
    ++metrics.received;
    slack::Delivery delivery =
        slack::read_envelope(envelope.type, envelope.payload, settings.bot.hear_bots);
    if (delivery.event_id.empty()) delivery.event_id = envelope.id;
    events.hear(delivery,
                [acknowledgements, id = envelope.id](const net::ServerResponse& response) {
                  if (response.status == 200) acknowledgements->add({id, std::nullopt});
                });
    return false;
  };
  slack::run_socket_mode(mode);
}

void wait_for_stop() {
  while (!base::stop_asked()) {
    pollfd stop = {base::stop_descriptor(), POLLIN, 0};
    ::poll(&stop, 1, -1);
  }
}

// Its users would be the first to learn of it. It may be put there later, so that it is served all
// the same.
void warn_of_programs(const slack::Bot& bot, const base::Env& env) {
  for (const slack::Handler& handler : bot.handlers) {
    if (handler.argv.empty()) continue;
    try {
      base::find_program(handler.argv.front(), env);
    } catch (const base::Error& error) {
      report_notice(env, kSlackServe, fmt::format("{}: {}", handler.name, error.what()));
    }
  }
}

int serve(const Options& options) {
  const base::Env& env = options.env();
  ServeSettings settings = read_serve_settings(options);
  warn_of_clear_text(env, kSlackServe, settings.sender);
  base::stop_on_signals();
  std::atomic<bool> end_now = false;
  const auto stop = [&] { return end_now.load(); };
  std::vector<slack::Line> lines;
  for (size_t i = 0; i < settings.workers; ++i) {
    lines.push_back(stoppable(make_line(options, kSlackServe), stop));
  }
  try {
    const slack::Line line = stoppable(make_line(options, kSlackServe), base::stop_asked);
    if (!settings.sender.token.empty()) find_channels(env, settings, line);
  } catch (const base::Error&) {
    if (base::stop_asked()) return base::exit_ok;  // nothing has begun
    throw;
  }
  if (settings.signing_secret.empty() && !settings.verification_token.empty()) {
    report_notice(env, kSlackServe,
                  "the verification token is deprecated and proves little; give --signing-secret");
  }
  warn_of_programs(settings.bot, env);
  Metrics metrics;
  Answers answers(settings.sender, lines, env, metrics, stop);
  base::WorkQueue queue(settings.workers, settings.most_waiting);
  Events events(settings, lines.front().clock, queue, answers, metrics);
  Routes routes(settings, events, queue, metrics, env, stop);
  std::optional<net::Server> server;
  const bool by_socket = settings.by_socket;
  if (!by_socket || options.is_given("port")) {
    server.emplace(net::ServerOptions{settings.address, settings.port},
                   [&](const net::ServerRequest& request, const net::Answer& answer) {
                     routes.handle(request, answer);
                   });
    report_progress(kSlackServe, fmt::format("{} listens on {}:{}", settings.bot.name,
                                             settings.address, server->port()));
  }
  // What ends it, a stop or an error: what has begun is finished.
  std::optional<base::Error> lost;
  try {
    if (by_socket) {
      serve_socket(options, settings, events, metrics);
    } else {
      wait_for_stop();
    }
  } catch (const base::Error& error) {
    lost = error;
  }
  report_progress(kSlackServe, "stopping: nothing new is taken, what has begun is finished");
  const int64_t begun_ms = lines.front().clock.monotonic_ms();
  if (server) server->drain(settings.drain_ms);
  const int64_t spent_ms = lines.front().clock.monotonic_ms() - begun_ms;
  const size_t undone = queue.drain(std::max<int64_t>(settings.drain_ms - spent_ms, 0));
  end_now = true;
  queue.stop();
  if (lost) throw base::Error(*lost);
  if (undone == 0) return base::exit_ok;
  report_error(env, kSlackServe,
               {base::exit_retries_spent,
                fmt::format("{} messages were not answered within --drain-timeout", undone)});
  return base::exit_retries_spent;
}

int run(const Options& options) {
  for (const char* secret :
       {"signing-secret", "verification-token", "token", "app-token", "proxy"}) {
    report_secret(options.env(), options.text(secret));
  }
  if (options.toggle("check")) return check_slack_serve(options);
  if (options.is_on("say")) return say(options);
  const bool writes_app = options.is_on("write-function-app") || options.is_on("zip");
  if (writes_app) return write_function_app(options);
  return serve(options);
}

}  // namespace

Run add_slack_serve(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, slack_serve_options(), env);
  set_help(app, slack_serve_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
