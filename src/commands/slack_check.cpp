#include "commands/slack_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/slack_options.hpp"
#include "net/reach.hpp"
#include "net/url.hpp"
#include "slack/errors.hpp"
#include "slack/lookup.hpp"
#include "slack/webhook_url.hpp"

namespace commands {

namespace {

constexpr const char* kWebhook = "webhook";
constexpr const char* kHost = "webhook's host";
constexpr const char* kToken = "token";
constexpr const char* kBlind =
    "the token may not look at channels (scope channels:read, of private ones groups:read)";
constexpr const char* kAddScope =
    "add it under OAuth & Permissions in the app's settings and install the app again";

base::Error misshapen(const std::string& problem) {
  return {base::exit_configuration, problem};
}

std::string look_at_shape(const std::string& webhook, bool for_workflow) {
  switch (slack::kind_of_webhook(webhook)) {
    case slack::WebhookKind::incoming:
      if (!for_workflow) return "its URL has the shape of an incoming webhook";
      throw misshapen(
          "this is an incoming webhook, not a workflow's; leave --webhook-type webhook-trigger "
          "out");
    case slack::WebhookKind::workflow:
      if (for_workflow) return "its URL has the shape of a workflow's webhook";
      throw misshapen(
          "this webhook starts a workflow in Slack; give --webhook-type webhook-trigger, or an "
          "incoming webhook (https://hooks.slack.com/services/…)");
    case slack::WebhookKind::broken:
      throw misshapen(
          "its URL is none that Slack gives (https://hooks.slack.com/services/T…/B…/…); copy it "
          "whole from the app's settings");
    case slack::WebhookKind::foreign:
      break;
  }
  return "";
}

void check_scopes(Findings& findings, const slack::Identity& identity,
                  const std::vector<ScopeNeed>& needs) {
  if (!identity.scopes) {
    findings.not_checked("scopes", "Slack did not say which scopes the token has");
    return;
  }
  std::vector<std::string> there;
  for (const ScopeNeed& need : needs) {
    if (slack::has_scope(identity, need.scope)) {
      const bool is_new = std::find(there.begin(), there.end(), need.scope) == there.end();
      if (is_new) there.push_back(need.scope);
      continue;
    }
    const std::string name = "scope " + need.scope;
    const std::string text =
        fmt::format("the token lacks it, and it is needed to {}; {}", need.purpose, kAddScope);
    if (need.is_must) {
      findings.wrong(name, {base::exit_refused, text});
    } else {
      findings.warn(name, text);
    }
  }
  if (!there.empty()) findings.ok("scopes", base::join(there, ", "));
}

// What is there to be said of a channel that the bot can look at.
std::string look_at_channel(const slack::Conversation& channel, const slack::Identity& identity,
                            bool as_member) {
  if (channel.is_direct) return "a direct message";
  if (channel.is_archived) {
    throw misshapen("it is archived; unarchive the channel or name another");
  }
  if (channel.is_member) return fmt::format("the bot is a member of {}", channel.id);
  const bool may_post = !channel.is_private && slack::has_scope(identity, "chat:write.public");
  if (may_post && !as_member) {
    return fmt::format("the bot is no member of {}, and may post there by chat:write.public",
                       channel.id);
  }
  throw misshapen(fmt::format(
      "the bot is not in it; invite it: /invite @{} in that channel{}",
      identity.user.empty() ? "its-name" : identity.user,
      channel.is_private || as_member ? "" : ", or give it the scope chat:write.public"));
}

// Slack's word for it; "" when the error is none of Slack's.
std::string word_of(const base::Error& error) {
  const auto* refused = dynamic_cast<const slack::Refused*>(&error);
  return refused == nullptr ? "" : refused->refusal().word;
}

}  // namespace

Findings slack_findings(const Options& options) {
  return {options.env(), wants_json(options) ? Findings::Form::array : Findings::Form::text};
}

slack::Line looking_line(const Options& options, const slack::Line& line) {
  slack::Line looking = line;
  const bool patience_is_given =
      options.source("retry-budget") != Source::fallback || options.is_on("retries");
  if (!patience_is_given) looking.retry.budget_ms = 0;
  return looking;
}

void check_webhook(Findings& findings, const Options& options, const std::string& webhook,
                   bool for_workflow) {
  const bool is_foreign = slack::kind_of_webhook(webhook) == slack::WebhookKind::foreign;
  if (is_foreign) {
    findings.warn(kWebhook, fmt::format("it is not at hooks.slack.com but at {}; fine for a "
                                        "service that takes Slack's messages",
                                        base::one_line(net::origin(webhook))));
  }
  const bool has_shape =
      findings.look(kWebhook, [&] { return look_at_shape(webhook, for_workflow); });
  if (!has_shape) return;
  const bool is_there = findings.look(kHost, [&] {
    net::try_connection(webhook, curl_options(options), options.number("timeout", 1, 3'600) * 1000);
    return net::origin(webhook) + " can be reached; no request was sent";
  });
  if (!is_there) return;
  findings.not_checked("delivery",
                       "whether the webhook still works is known only by posting, which --check "
                       "does not do");
}

std::optional<slack::Identity> check_token(Findings& findings, const slack::Sender& sender,
                                           const slack::Line& line,
                                           const std::vector<ScopeNeed>& needs) {
  std::optional<slack::Identity> identity;
  findings.look(kToken, [&] {
    identity = slack::who_am_i(sender, line);
    return fmt::format("{} of the workspace {}", identity->user, identity->team);
  });
  if (identity) check_scopes(findings, *identity, needs);
  return identity;
}

void check_channel(Findings& findings, const slack::Sender& sender, const slack::Line& line,
                   const slack::Identity& identity, const std::string& place, bool as_member) {
  const std::string name = "channel " + place;
  if (slack::is_email(place)) {
    if (!slack::has_scope(identity, "users:read.email")) return;  // told with the scopes
    findings.look(name, [&] { return slack::user_id(sender, place, line) + " has this address"; });
    return;
  }
  if (slack::is_user(place)) {
    findings.not_checked(name, "a user's direct messages; they are opened by writing");
    return;
  }
  const bool sees_private = slack::has_scope(identity, "groups:read");
  if (!sees_private && !slack::has_scope(identity, "channels:read")) {
    findings.not_checked(name, kBlind);
    return;
  }
  findings.look(name, [&]() -> std::string {
    std::optional<slack::Conversation> channel;
    try {
      const std::string id = slack::conversation_id(sender, place, line);
      channel = slack::conversation_info(sender, id, line);
    } catch (const base::Error& error) {
      const std::string word = word_of(error);
      if (word == "missing_scope") {
        findings.not_checked(name, kBlind);
        return "";
      }
      const bool is_not_seen =
          word == "channel_not_found" || (word.empty() && error.code() == base::exit_configuration);
      if (sees_private || !is_not_seen) throw;
    }
    if (channel) return look_at_channel(*channel, identity, as_member);
    findings.warn(name,
                  "no public channel is that; check the name or ID. A private one the token may "
                  "not look at (scope groups:read)");
    return "";
  });
}

void add_looks_needs(std::vector<ScopeNeed>& needs, const Options& options) {
  for (const char* option : {"username", "icon-emoji", "icon-url"}) {
    if (!options.is_on(option)) continue;
    needs.push_back({"chat:write.customize", fmt::format("obey {}", options.origin(option))});
    return;
  }
}

}  // namespace commands
