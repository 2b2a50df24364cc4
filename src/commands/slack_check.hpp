// What --check looks at where a command talks to Slack: webhook, token, scopes, channels. Nothing
// is posted, nothing is changed, and no person sees anything of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/findings.hpp"
#include "commands/options.hpp"
#include "slack/access.hpp"
#include "slack/client.hpp"

namespace commands {

// A scope that is needed, or else something does not work.
struct ScopeNeed {
  std::string scope;
  std::string purpose;  // "post as docs-bot"
  bool is_must = true;  // else its lack is a warning
};

// --output json or --json give an array, else text.
Findings slack_findings(const Options& options);

// A line for looking: one attempt, unless --retry-budget or --retries is given.
slack::Line looking_line(const Options& options, const slack::Line& line);

// The shape of the webhook's URL, and whether its host can be reached, by a connection without a
// request: Slack documents none that posts nothing.
void check_webhook(Findings& findings, const Options& options, const std::string& webhook,
                   bool for_workflow);

// auth.test, and the needed scopes. Nothing when the token is refused.
std::optional<slack::Identity> check_token(Findings& findings, const slack::Sender& sender,
                                           const slack::Line& line,
                                           const std::vector<ScopeNeed>& needs);

// Whether the bot may post to the channel, an ID or a name, as far as its scopes let it look.
// as_member: only as a member, for an upload.
void check_channel(Findings& findings, const slack::Sender& sender, const slack::Line& line,
                   const slack::Identity& identity, const std::string& place, bool as_member);

// What the looks of a message need.
void add_looks_needs(std::vector<ScopeNeed>& needs, const Options& options);

}  // namespace commands
