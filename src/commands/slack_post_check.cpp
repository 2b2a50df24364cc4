#include "commands/slack_post_check.hpp"
#include "commands/clear_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/slack_check.hpp"
#include "commands/slack_compose.hpp"
#include "commands/slack_payload.hpp"
#include "commands/slack_places.hpp"
#include "commands/slack_post.hpp"
#include "commands/slack_post_options.hpp"
#include "commands/slack_post_rules.hpp"
#include "slack/lookup.hpp"

namespace commands {

namespace {

// Slack's; of more blocks or attachments it takes none, of more text the rest is cut off.
constexpr size_t kMostBlocks = 50;
constexpr size_t kMostAttachments = 100;
constexpr size_t kMostText = 40'000;
constexpr int64_t kMostFileBytes = int64_t{1} << 30U;

constexpr const char* kPayload = "payload";
constexpr const char* kMessage = "message";

bool has_documents(const Options& options) {
  return has_payload(options) || options.is_on("blocks") || is_for_workflow(options);
}

// Whether they could be read.
bool check_documents(Findings& findings, const Options& options, PostSettings& settings) {
  if (!has_documents(options)) return true;
  if (payload_from_stdin(options)) {
    findings.not_checked(kPayload, "standard input is not read by --check");
    return false;
  }
  return findings.look(kPayload, [&] {
    read_post_documents(options, settings);
    const size_t members = settings.payload.size() + settings.blocks.size();
    return fmt::format("can be read, and has {} {}", members, members == 1 ? "part" : "parts");
  });
}

void refuse_over(const json::Value& arguments, const char* name, size_t most) {
  const json::Array* list = json::as_array(json::find(arguments, name));
  if (list == nullptr || list->size() <= most) return;
  throw base::Error(
      base::exit_bad_input,
      fmt::format("it has {} {}, and Slack takes {}; leave some out", list->size(), name, most));
}

void check_limits(Findings& findings, const Sending& sending) {
  for (const slack::Call& call : sending.calls) {
    const json::Value arguments(call.arguments);
    refuse_over(arguments, "blocks", kMostBlocks);
    refuse_over(arguments, "attachments", kMostAttachments);
    const size_t length = base::utf16_length(json::string_at(arguments, "text"));
    if (length > kMostText) {
      findings.warn(kMessage, fmt::format("its text has {} characters, and Slack cuts it after {}",
                                          length, kMostText));
    }
  }
  for (const slack::File& file : sending.files) {
    if (file.body.bytes > kMostFileBytes) {
      findings.warn(kMessage,
                    fmt::format("{} has more than 1 GiB, which Slack may not take", file.filename));
    }
  }
}

std::string look_at_message(Findings& findings, const Options& options,
                            const PostSettings& settings) {
  const std::vector<Sending> sendings = compose_post(options, settings);
  std::vector<std::string> places;
  size_t calls = 0;
  for (const Sending& sending : sendings) {
    places.push_back(base::one_line(sending.place));
    calls += sending.calls.size();
  }
  if (!sendings.empty()) check_limits(findings, sendings.front());
  const size_t files = sendings.empty() ? 0 : sendings.front().files.size();
  const std::string uploads =
      files == 0 ? "" : fmt::format(", {} {}", files, files == 1 ? "file" : "files");
  return fmt::format("{} {}{} for {}", calls, calls == 1 ? "call" : "calls", uploads,
                     base::join(places, ", "));
}

void check_message(Findings& findings, const Options& options, const PostSettings& settings) {
  const bool has_file_from_stdin =
      std::find(settings.files.begin(), settings.files.end(), "-") != settings.files.end();
  if (settings.is_stream || text_from_stdin(options) || has_file_from_stdin) {
    findings.not_checked(kMessage, "standard input is not read by --check");
    return;
  }
  findings.look(kMessage, [&] { return look_at_message(findings, options, settings); });
}

bool uploads(const PostSettings& settings) {
  return !settings.files.empty() || settings.method == "files.uploadV2";
}

// Only these find a channel by its name, and post where the bot is no member.
bool posts_anywhere(const PostSettings& settings) {
  const std::string method = method_of(settings);
  return !uploads(settings) && (method == slack::kPostMessage || method == "chat.scheduleMessage");
}

// The channels and people it is to go to.
std::vector<std::string> targets_of(const PostSettings& settings) {
  std::vector<std::string> targets;
  for (const Place& place : places_of(settings)) {
    if (!place.channel.empty()) targets.push_back(place.channel);
  }
  if (!targets.empty()) return targets;
  for (const char* name : {"channel", "channel_id"}) {
    const std::string channel = json::string_at(json::Value(settings.payload), name);
    if (!channel.empty()) return {channel};
  }
  return base::split_list(json::string_at(json::Value(settings.payload), "channels"));
}

std::vector<ScopeNeed> needs_of(const Options& options, const PostSettings& settings,
                                const std::vector<std::string>& targets) {
  std::vector<ScopeNeed> needs;
  const std::string method = method_of(settings);
  if (uploads(settings)) {
    needs.push_back({"files:write", "upload files"});
  } else if (!slack::scope_for(method).empty()) {
    needs.push_back({slack::scope_for(method), "call " + method});
  }
  if (settings.overflow == Overflow::file) {
    needs.push_back({"files:write", "upload a text that is too long (--overflow file)"});
  }
  add_looks_needs(needs, options);
  for (const std::string& target : targets) {
    const std::string purpose = fmt::format("find {}", base::one_line(target));
    if (slack::is_email(target)) needs.push_back({"users:read.email", purpose});
    if (posts_anywhere(settings) || method == "chat.postEphemeral") continue;
    if (slack::is_user(target)) needs.push_back({"im:write", purpose});
    if (!slack::is_id(target) && !slack::is_email(target)) {
      needs.push_back({"channels:read", purpose + " by its name"});
    }
  }
  if (slack::is_email(settings.ephemeral)) {
    needs.push_back({"users:read.email", "find " + base::one_line(settings.ephemeral)});
  }
  return needs;
}

void check_by_token(Findings& findings, const Options& options, const PostSettings& settings) {
  const slack::Sender& sender = settings.delivery.sender;
  const slack::Line line = looking_line(options, settings.line);
  std::vector<std::string> targets;
  const bool are_known = findings.look("channels", [&] {
    targets = targets_of(settings);
    return "";
  });
  const auto identity = check_token(findings, sender, line, needs_of(options, settings, targets));
  const std::string method = method_of(settings);
  if (!uploads(settings) && slack::scope_for(method).empty()) {
    findings.not_checked("scopes", fmt::format("which scope {} needs is not known here; look it up "
                                               "at docs.slack.dev",
                                               method));
  }
  if (!identity || !are_known) return;
  for (const std::string& target : targets) {
    check_channel(findings, sender, line, *identity, target, !posts_anywhere(settings));
  }
}

}  // namespace

int check_slack_post(const Options& options) {
  PostSettings settings = read_post_words(options);
  Findings findings = slack_findings(options);
  const bool are_documents_known = check_documents(findings, options, settings);
  try {
    read_post_place(options, settings);
  } catch (const base::Error& error) {
    if (are_documents_known) throw;  // else the payload may name the place
    findings.not_checked("channels", "known only with the payload");
  }
  if (are_documents_known) check_message(findings, options, settings);
  warn_of_clear_text(options.env(), kSlackPost, settings.delivery.sender);
  if (!settings.delivery.sender.webhook.empty()) {
    check_webhook(findings, options, settings.delivery.sender.webhook, is_for_workflow(options));
  } else if (!settings.delivery.sender.token.empty()) {
    check_by_token(findings, options, settings);
  }
  return findings.end();
}

}  // namespace commands
