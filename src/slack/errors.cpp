#include "slack/errors.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace slack {

namespace {

struct Entry {
  const char* word;
  base::ExitCode code;
  const char* remedy;
};

constexpr const char* kNewToken =
    "make a new bot token (OAuth & Permissions in the app's settings)";
constexpr const char* kNewWebhook =
    "check the address; a new incoming webhook is made in the app's settings";
constexpr const char* kInvite = "invite the bot: /invite @its-name in that channel";
constexpr const char* kChannel =
    "check the channel's name or ID; the bot must be a member of a private channel";
constexpr const char* kTooLong = "the message is over Slack's limits; send less text";
constexpr const char* kBlocks =
    "look at the place Slack names in the payload or the blocks; if you gave none, report a defect";
constexpr const char* kMessage = "check the message's ts and channel; it may be deleted";
constexpr const char* kLook =
    "it may have been posted: look in the channel before you send it again";
constexpr const char* kLater = "try again later";

constexpr Entry kEntries[] = {
    {"invalid_auth", base::exit_refused, kNewToken},
    {"not_authed", base::exit_refused, "give a bot token"},
    {"account_inactive", base::exit_refused, kNewToken},
    {"token_expired", base::exit_refused, kNewToken},
    {"token_revoked", base::exit_refused, kNewToken},
    {"org_login_required", base::exit_refused, "the workspace moved to another organisation"},
    {"not_allowed_token_type", base::exit_refused, "use a bot token (xoxb-…)"},
    {"missing_scope", base::exit_refused, "add the needed scope to the app and install it again"},
    {"no_permission", base::exit_refused, "the app lacks a permission; install it again"},
    {"ekm_access_denied", base::exit_refused, "the workspace's administrators forbid it"},
    {"restricted_action", base::exit_refused, "the workspace's administrators forbid it"},
    {"action_prohibited", base::exit_refused, "the workspace's administrators forbid it"},
    {"team_access_not_granted", base::exit_refused, "install the app in that workspace"},
    {"invalid_token", base::exit_refused, kNewWebhook},
    {"no_service", base::exit_configuration, kNewWebhook},
    {"no_service_id", base::exit_configuration, kNewWebhook},
    {"no_team", base::exit_configuration, kNewWebhook},
    {"team_disabled", base::exit_configuration, "the workspace was switched off"},
    {"not_in_channel", base::exit_configuration, kInvite},
    {"channel_not_found", base::exit_configuration, kChannel},
    {"is_archived", base::exit_configuration, "unarchive the channel or name another"},
    {"channel_is_archived", base::exit_configuration, "unarchive the channel or name another"},
    {"posting_to_general_channel_denied", base::exit_configuration, "name another channel"},
    {"user_not_found", base::exit_configuration, "check the user's ID"},
    {"users_not_found", base::exit_configuration, "nobody there has this e-mail address"},
    {"user_not_in_channel", base::exit_configuration, "that user is not in that channel"},
    {"message_not_found", base::exit_configuration, kMessage},
    {"thread_not_found", base::exit_configuration, kMessage},
    {"cant_update_message", base::exit_refused, "a bot may change its own messages only"},
    {"edit_window_closed", base::exit_refused, "the workspace forbids changing it so late"},
    {"unknown_method", base::exit_configuration, "check the method's name and the API's address"},
    {"invalid_arguments", base::exit_bad_input, "look the method up at docs.slack.dev"},
    {"invalid_workflow_input", base::exit_bad_input, "check the names of the workflow's inputs"},
    {"invalid_blocks", base::exit_bad_input, kBlocks},
    {"invalid_blocks_format", base::exit_bad_input, kBlocks},
    {"cannot_reply_to_message", base::exit_configuration,
     "check the thread's ts: it must be a message in that channel"},
    {"invalid_payload", base::exit_bad_input, kBlocks},
    {"invalid_attachments", base::exit_bad_input, kBlocks},
    {"too_many_attachments", base::exit_bad_input, kTooLong},
    {"msg_too_long", base::exit_bad_input, kTooLong},
    {"msg_blocks_too_long", base::exit_bad_input, kTooLong},
    {"no_text", base::exit_bad_input, "a message needs text"},
    {"ratelimited", base::exit_retries_spent, "wait, or give --retry-budget more seconds"},
    {"rate_limited", base::exit_retries_spent, "wait, or give --retry-budget more seconds"},
    {"rollup_error", base::exit_retries_spent, kLater},
    {"fatal_error", base::exit_unavailable, kLook},
    {"internal_error", base::exit_unavailable, kLook},
    {"request_timeout", base::exit_unavailable, kLater},
    {"service_unavailable", base::exit_unavailable, kLater},
};

Entry entry_for(const Refusal& refusal) {
  for (const Entry& entry : kEntries) {
    if (refusal.word == entry.word) return entry;
  }
  if (refusal.status == 429) {
    return {"", base::exit_retries_spent, "wait, or give --retry-budget more seconds"};
  }
  if (refusal.status == 504) return {"", base::exit_retries_spent, kLook};
  if (refusal.status >= 500) return {"", base::exit_retries_spent, kLater};
  if (refusal.status == 401 || refusal.status == 403) {
    return {"", base::exit_refused, "check the token or webhook"};
  }
  return {"", base::exit_answer_no, "look the word up at docs.slack.dev"};
}

}  // namespace

Refused refusal_error(const Refusal& refusal) {
  const Entry entry = entry_for(refusal);
  std::string text = "Slack says ";
  text += refusal.word.empty() ? "no" : base::shorten(base::one_line(refusal.word), 200);
  if (refusal.status != 200) text += fmt::format(" (HTTP {})", refusal.status);
  if (!refusal.details.empty()) {
    text += fmt::format(" ({})", base::shorten(base::one_line(refusal.details), 1000));
  }
  // The status of a retried reply outweighs its word: it was asked again until the budget was
  // spent.
  const bool retried = refusal.status == 429 || refusal.status >= 500;
  return {retried ? base::exit_retries_spent : entry.code,
          fmt::format("{}; {}", text, entry.remedy), refusal};
}

}  // namespace slack
