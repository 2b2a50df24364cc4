#include "commands/serve_check.hpp"
#include "commands/clear_text.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/error.hpp"
#include "base/look.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/serve_options.hpp"
#include "commands/slack_check.hpp"
#include "commands/slack_options.hpp"
#include "commands/slack_serve.hpp"
#include "net/listen.hpp"
#include "net/server.hpp"
#include "slack/lookup.hpp"

namespace commands {

namespace {

using Trigger = slack::Handler::Trigger;

constexpr size_t kSecretDigits = 32;
constexpr int64_t kMostOffS = 300;  // of a signature's time, see slack/signature.hpp
constexpr int64_t kFarOffS = 60;
constexpr uint64_t kDescriptorsAWorker = 8;  // a connection, a program's pipes, a board
constexpr uint64_t kDescriptorsElse = 64;

std::string named(const slack::Handler& handler, const char* what) {
  return fmt::format("{} of {}", what, handler.name);
}

// --- The machine ---

void check_program(Findings& findings, const slack::Handler& handler, const base::Env& env) {
  const std::string name = named(handler, "program");
  findings.look(name, [&] { return base::find_program(handler.argv.front(), env); });
  for (const std::string& variable : handler.environment) {
    if (env(variable).empty()) {
      findings.warn(name, fmt::format("it would get {}, which is not set", variable));
    }
  }
}

void check_handlers(Findings& findings, const slack::Bot& bot, const base::Env& env) {
  for (const slack::Handler& handler : bot.handlers) {
    if (!handler.argv.empty()) check_program(findings, handler, env);
    if (!handler.board.empty()) {
      findings.look(named(handler, "board"), [&] {
        base::look_writable(handler.board, true);
        return handler.board + " can be written to";
      });
    }
    const bool lacks_folder =
        !handler.files_below.empty() && ::access(handler.files_below.c_str(), R_OK | X_OK) != 0;
    if (lacks_folder) {
      findings.warn(named(handler, "files"), handler.files_below +
                                                 " can't be read; make the folder before a program "
                                                 "names files in it");
    }
  }
}

void check_port(Findings& findings, const ServeSettings& settings) {
  findings.look("port", [&] {
    const net::ListenSocket socket = net::listen_at(settings.address, settings.port);
    ::close(socket.fd);
    const std::string place =
        settings.port == 0 ? "any free one" : fmt::format("{} is free", settings.port);
    return fmt::format("{} at {}{}", place, settings.address,
                       settings.in_functions ? ", as an Azure Functions host asks for" : "");
  });
}

void check_descriptors(Findings& findings, const ServeSettings& settings) {
  const uint64_t needed = settings.workers * kDescriptorsAWorker + kDescriptorsElse +
                          (settings.by_socket ? 0 : net::ServerOptions{}.most_connections);
  const uint64_t limit = base::descriptor_limit();
  if (limit >= needed) {
    findings.ok("descriptors",
                fmt::format("{} may be open, {} are the most needed", limit, needed));
    return;
  }
  findings.warn("descriptors",
                fmt::format("{} may be open, and under full load {} are needed; raise the limit "
                            "(ulimit -n), or give fewer --workers",
                            limit, needed));
}

// --- Slack ---

void check_signing_secret(Findings& findings, const ServeSettings& settings) {
  const std::string& secret = settings.signing_secret;
  if (secret.empty() && !settings.verification_token.empty() && !settings.by_socket) {
    findings.warn("signing secret",
                  "none; the verification token is deprecated and proves little, give "
                  "--signing-secret");
  }
  if (secret.empty() || settings.by_socket) return;
  const bool is_other = secret.starts_with("xox") || secret.starts_with("xapp-") ||
                        secret.find_first_of(" \t\r\n:/") != std::string::npos;
  if (is_other) {
    findings.wrong("signing secret",
                   {base::exit_configuration,
                    "this is a token, an address or a text; copy the Signing Secret under Basic "
                    "Information in the app's settings"});
    return;
  }
  const bool has_shape = secret.size() == kSecretDigits &&
                         secret.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (has_shape) {
    findings.ok("signing secret",
                "it has the shape of one; Slack tells nobody whether it is right");
  } else {
    findings.warn("signing secret",
                  "Slack's have 32 digits of 0-9 and a-f, and this is none; with a wrong one every "
                  "request is refused (401)");
  }
}

// Only IDs are known without asking.
bool has_names(const std::vector<std::string>& list) {
  return std::any_of(list.begin(), list.end(),
                     [](const std::string& name) { return !slack::is_id(name); });
}

std::vector<ScopeNeed> needs_of(const slack::Bot& bot) {
  std::vector<ScopeNeed> needs = {{"chat:write", "answer"}};
  for (const slack::Handler& handler : bot.handlers) {
    const std::string& name = handler.name;
    if (handler.trigger == Trigger::command) {
      needs.push_back({"commands", fmt::format("hear {}", handler.pattern)});
    }
    const bool is_heard = handler.trigger == Trigger::match || handler.trigger == Trigger::command;
    if (!is_heard) continue;
    if (!handler.argv.empty()) {
      const bool uploads = !handler.files_below.empty();
      needs.push_back({"files:write",
                       fmt::format("upload {} of {}", uploads ? "the files" : "long output", name),
                       uploads});
    }
    if (has_names(handler.users)) needs.push_back({"users:read", "know the users of " + name});
    if (has_names(handler.channels)) {
      needs.push_back({"channels:read", "find the channels of " + name});
    }
    for (const std::string& user : handler.users) {
      if (slack::is_email(user)) needs.push_back({"users:read.email", "know " + user});
    }
  }
  // The same lack is told once, and as what it is at worst.
  std::stable_partition(needs.begin(), needs.end(),
                        [](const ScopeNeed& need) { return need.is_must; });
  std::set<std::string> seen;
  std::erase_if(needs, [&seen](const ScopeNeed& need) { return !seen.insert(need.scope).second; });
  return needs;
}

void check_hearing(Findings& findings, const slack::Bot& bot, const slack::Identity& identity) {
  const bool matches =
      std::any_of(bot.handlers.begin(), bot.handlers.end(),
                  [](const slack::Handler& handler) { return handler.trigger == Trigger::match; });
  if (!matches || !identity.scopes) return;
  for (const char* scope :
       {"app_mentions:read", "channels:history", "groups:history", "im:history", "mpim:history"}) {
    if (slack::has_scope(identity, scope)) return;
  }
  findings.warn("scopes",
                "no message will come: the token has none of app_mentions:read, channels:history, "
                "groups:history, im:history, mpim:history; add some and the app's events");
}

void check_clock(Findings& findings, const slack::Identity& identity) {
  if (!identity.ahead_s) {
    findings.not_checked("clock", "Slack did not say what time it is");
    return;
  }
  const int64_t off_s = std::abs(*identity.ahead_s);
  const std::string text = fmt::format("this machine's is {} s {} Slack's", off_s,
                                       *identity.ahead_s < 0 ? "behind" : "ahead of");
  if (off_s > kMostOffS) {
    findings.wrong("clock", {base::exit_configuration,
                             text + ", so that every signature is refused as out of date; set it, "
                                    "by NTP"});
  } else if (off_s > kFarOffS) {
    findings.warn("clock", text + "; from 300 s on every signature is refused, set it, by NTP");
  } else {
    findings.ok("clock", text);
  }
}

void check_slack(Findings& findings, const Options& options, const ServeSettings& settings) {
  check_signing_secret(findings, settings);
  const slack::Line line = looking_line(options, make_line(options, kSlackServe));
  warn_of_clear_text(options.env(), kSlackServe, settings.sender);
  if (!settings.sender.token.empty()) {
    const auto identity = check_token(findings, settings.sender, line, needs_of(settings.bot));
    if (identity) {
      check_hearing(findings, settings.bot, *identity);
      if (!settings.by_socket) check_clock(findings, *identity);
      for (const slack::Handler& handler : settings.bot.handlers) {
        if (handler.trigger != Trigger::match) continue;  // commands are heard everywhere
        for (const std::string& channel : handler.channels) {
          const std::string place = slack::is_id(channel) ? channel : "#" + channel;
          check_channel(findings, settings.sender, line, *identity, place, true);
        }
      }
    }
  }
  if (settings.app_token.empty()) return;
  findings.look("app token", [&] {
    const slack::Sender app = {"", settings.app_token, settings.sender.api};
    slack::call_method(app, {"apps.connections.open", {}}, line);
    return "Slack would open a connection for it; none was opened";
  });
}

}  // namespace

int check_slack_serve(const Options& options) {
  Findings findings(options.env(), Findings::Form::text);
  slack::Bot bot;
  findings.look("bot file", [&] {
    bot = read_bot_file(options);
    return fmt::format("{}, with {} {}", base::one_line(bot.name), bot.handlers.size(),
                       bot.handlers.size() == 1 ? "handler" : "handlers");
  });
  const ServeSettings settings = read_serve_words(options, bot);
  for (const std::string& missing : missing_secrets(settings)) {
    findings.wrong("secrets", {base::exit_usage, missing});
  }
  check_handlers(findings, bot, options.env());
  check_slack(findings, options, settings);
  if (!settings.by_socket || options.is_given("port")) check_port(findings, settings);
  check_descriptors(findings, settings);
  return findings.end();
}

}  // namespace commands
