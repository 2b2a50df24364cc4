#include "commands/slack_status.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "commands/slack_options.hpp"
#include "commands/slack_payload.hpp"
#include "commands/slack_post.hpp"
#include "github/context.hpp"
#include "slack/mentions.hpp"
#include "slack/mrkdwn.hpp"

namespace commands {

namespace {

constexpr size_t kMaxSubject = 200;
constexpr size_t kMaxName = 100;

struct Look {
  const char* status;
  const char* words;
  const char* emoji;
  const char* color;
};

constexpr Look kLooks[] = {
    {"success", "succeeded", ":white_check_mark:", "good"},
    {"failure", "failed", ":x:", "danger"},
    {"cancelled", "was cancelled", ":no_entry_sign:", kGrey},
    {"skipped", "was skipped", ":fast_forward:", kGrey},
    {"started", "started", ":arrow_forward:", kGrey},
};

const Look* find_look(const std::string& status) {
  for (const Look& look : kLooks) {
    if (status == look.status) return &look;
  }
  return nullptr;
}

const Look& look_of(const Options& options) {
  const Look* look = find_look(base::lower_ascii(base::trim(options.text("status"))));
  if (look != nullptr) return *look;
  throw options.wrong_value("status", "success, failure, cancelled, skipped or started");
}

// "192" -> "3 min 12 s"; what is no number of seconds stays as it is.
std::string shown_duration(const std::string& text) {
  int64_t seconds = 0;
  if (!base::read_number(base::trim(text), seconds) || seconds < 0) return slack::escape(text);
  const int64_t minutes = seconds / 60;
  if (minutes == 0) return fmt::format("{} s", seconds);
  if (minutes < 60) return fmt::format("{} min {} s", minutes, seconds % 60);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string linked(const std::string& url, const std::string& label) {
  return slack::link(url, base::shorten(base::one_line(label), kMaxName));
}

// "CI / build", as much of it as is known.
std::string title(const github::Run& run) {
  if (run.workflow.empty() && run.job.empty()) return "the job";
  if (run.workflow.empty() || run.job.empty()) return run.workflow + run.job;
  return run.workflow + " / " + run.job;
}

// "abc1234 Fix the pump, by ada"
std::string commit_line(const github::Run& run) {
  std::string line = linked(run.commit_url, run.sha.substr(0, 7));
  const std::string subject = slack::escape(base::shorten(run.subject, kMaxSubject));
  if (!subject.empty()) line += (line.empty() ? "" : " ") + subject;
  const std::string author = slack::escape(base::shorten(run.author, kMaxName));
  if (!author.empty()) line += (line.empty() ? "by " : ", by ") + author;
  return line;
}

// One WHO of --mention-on: a name of the file of mentions, @author, a Slack ID, @here and the like.
std::string mention_for(const std::string& who, const slack::Mentions& mentions,
                        const github::Run& run, const Trust& trust) {
  const std::string name = who.starts_with('@') ? who.substr(1) : who;
  const bool is_crowd = name == "channel" || name == "here" || name == "everyone";
  if (is_crowd && trust.broadcasts) return fmt::format("<!{}>", name);
  if (is_crowd) {
    throw base::Error(
        base::exit_usage,
        fmt::format("--mention-on names @{}, which needs --allow-broadcast as well", name));
  }
  if (name == "author") return slack::mention_of(mentions, run.author_login);  // perhaps nobody
  std::string mention = slack::mention_of(mentions, name);
  if (!mention.empty()) return mention;
  if (slack::is_mentionable(name)) return slack::mention_of_id(name);
  throw base::Error(base::exit_bad_input,
                    fmt::format("--mention-on names '{}', who is not in the file of --mentions "
                                "(NAME: U0123ABCD, or S0123ABCD for a user group)",
                                base::one_line(who)));
}

// The mentions of --mention-on for a status, "failure=@oncall,@ada,success=@author": an item
// without a status belongs to the one before.
std::string mentions_for(const Options& options, const std::string& status,
                         const github::Run& run) {
  const slack::Mentions mentions = read_mentions(options);
  const Trust trust = read_trust(options);
  std::string found;
  std::string on;
  for (const std::string& item : options.list("mention-on")) {
    const size_t equals = item.find('=');
    if (equals != std::string::npos) on = base::lower_ascii(base::trim(item.substr(0, equals)));
    const std::string who =
        base::trim(equals == std::string::npos ? item : item.substr(equals + 1));
    if (who.empty() || find_look(on) == nullptr) {
      throw options.wrong_value("mention-on", "a list like failure=@oncall,cancelled=@author");
    }
    const std::string mention = mention_for(who, mentions, run, trust);
    if (on == status && !mention.empty()) found += mention + " ";
  }
  return found;
}

// What the event says of the commit is good to have, but the message is worth more.
json::Value event_if_any(const base::Env& env) {
  try {
    return read_github_event(env);
  } catch (const base::Error& error) {
    report_notice(env, kSlackPost,
                  fmt::format("{}; the message goes without what stands there", error.what()));
    return nullptr;
  }
}

}  // namespace

std::vector<Option> status_options() {
  const std::string group = "Status of a job";
  return {
      {group, "--status", "STATUS", "", "",
       "the coloured message about this workflow's job: ${{ job.status }} (success, failure, "
       "cancelled), skipped or started; a text stands below it"},
      {group, "--duration", "SECONDS", "", "", "how long the job took, for --status"},
      {group, "--mention-on", "STATUS=WHO", "", "",
       "whom to call on which status, failure=@oncall,cancelled=@author: names of the file of "
       "--mentions, Slack IDs, @author of the commit"},
      mentions_option(group, "who @NAME is, for --mention-on"),
  };
}

slack::Message status_message(const Options& options, const std::string& text) {
  if (base::utf16_length(text) > slack::kMaxSectionText) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("the text has {} characters; below a --status {} are the most",
                                  base::utf16_length(text), slack::kMaxSectionText));
  }
  using BlockKind = slack::Block::Kind;
  const Look& look = look_of(options);
  const github::Run run = github::read_run(options.env(), event_if_any(options.env()));
  const std::string head =
      fmt::format("{} *{}* {}{}", look.emoji, linked(run.url, title(run)), look.words,
                  run.branch.empty() ? "" : " on " + linked(run.branch_url, run.branch));
  std::string below = commit_line(run);
  const std::string duration = options.text("duration");
  if (!duration.empty()) {
    below += (below.empty() ? "took " : " · took ") + shown_duration(duration);
  }
  slack::Message message;
  message.lead = base::trim(mentions_for(options, look.status, run));
  message.text = head;
  message.blocks.push_back({BlockKind::section, below.empty() ? head : head + "\n" + below});
  if (!text.empty()) message.blocks.push_back({BlockKind::section, text});
  message.title = slack::escape(options.text("title"));
  message.footer = slack::escape(options.text("footer"));
  message.looks = read_looks(options);
  if (message.looks.color.empty()) message.looks.color = look.color;
  return message;
}

}  // namespace commands
