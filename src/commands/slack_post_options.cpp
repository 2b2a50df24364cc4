#include "commands/slack_post_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "commands/slack_post.hpp"
#include "commands/slack_post_rules.hpp"
#include "commands/slack_status.hpp"
#include "slack/lookup.hpp"

namespace commands {

namespace {

constexpr size_t kMaxTextBytes = size_t{25} << 20U;
constexpr int64_t kStreamBudgetMs = 86'400'000;

std::vector<Option> content_options() {
  const std::string text = "Text";
  const std::string payload = "Payload";
  const std::string files = "Files (bot token)";
  const std::string stream = "Stream";
  return {
      {text, "--text,TEXT", "TEXT", "SLACK_MESSAGE", "",
       "what to post, shown as it is written; - is stdin, which is also read when nothing else is "
       "to be posted"},
      {text, "--markdown", "", "", "", "the text is Markdown: headings, lists, tables, links",
       Kind::toggle},
      {text, "--mrkdwn", "", "", "",
       "the text, and what templates bring, is Slack's mrkdwn: *bold*, <URL|links>, <@U0123> work",
       Kind::toggle},
      {text, "--allow-broadcast", "", "", "",
       "let <!channel>, <!here> and mentions of groups in it call everybody", Kind::toggle},
      {text, "--title", "TEXT", "SLACK_TITLE", "", "stands bold above the text"},
      {text, "--footer", "TEXT", "SLACK_FOOTER", "", "stands small below it"},
      {text, "--overflow", "split|thread|file|fail", "", "split",
       "what becomes of a text over 4,000 characters (Markdown: 12,000): split (messages a second "
       "apart), thread (the rest answers the first), file (uploaded), fail (65)",
       Kind::choice},
      {payload, "--payload", "DOCUMENT", "", "",
       "the arguments themselves, in JSON or YAML; they pass as they are"},
      {payload, "--payload-file-path,--payload-file", "FILE|-", "", "", "the same from a file"},
      {payload, "--payload-templated", "", "", "",
       "replace ${{ env.NAME }} and ${{ github.PATH }} in payload and blocks; no value can break "
       "the document, one that is missing is an error",
       Kind::toggle},
      {payload, "--payload-delimiter", "TEXT", "", "",
       "flatten the payload, joining names by this, with all values as text"},
      {payload, "--blocks", "FILE|-", "", "",
       "Block Kit blocks, JSON or YAML: a list, or an object with blocks; the text is the "
       "notification"},
      {payload, "--method", "NAME", "", "",
       "any method of the Web API, with the payload as its arguments (bot token)"},
      {files, "--file", "FILE|-", "", "",
       "file to upload (repeatable; one a line); the text is its comment", Kind::lines},
      {files, "--filename", "NAME", "", "", "name to show for the file; a must for stdin"},
      {stream, "--stream", "", "", "",
       "post stdin as it comes, line by line, in one message an interval; no line is "
       "dropped, what may have been posted is posted again rather than never",
       Kind::toggle},
      {stream, "--interval", "TIME", "", "1s", "time between two messages: 1s, 500ms, 0"},
      {stream, "--drain-timeout", "TIME", "", "60s",
       "how long to go on at the end of stdin or on SIGTERM; what is left then is counted, and the "
       "exit code is 75"},
      {stream, "--tee", "", "", "", "copy stdin to stdout as well", Kind::toggle},
  };
}

std::vector<Option> where_options() {
  const std::string group = "Delivery";
  return {
      {group, "--webhook-type", "incoming-webhook|webhook-trigger", "", "incoming-webhook",
       "incoming-webhook, or webhook-trigger for one that starts a workflow in Slack",
       Kind::choice},
      {group, "--user-email", "EMAIL", "", "",
       "direct message to whoever has this address (scopes users:read.email, im:write)"},
      {group, "--broadcast", "", "", "", "show the thread's reply in the channel too",
       Kind::toggle},
      {group, "--ephemeral", "USER", "", "",
       "show it to this user only: ID or e-mail address; it is gone when they reload"},
      {group, "--update", "TS", "", "",
       "change the bot's message of that ts instead of posting; or, with the results output of an "
       "earlier step, all of its messages"},
      {group, "--errors", "true|false", "", "true",
       "false: exit with 0 although Slack refused; the output ok tells", Kind::choice},
  };
}

// Like "files.completeUploadExternal".
std::string read_method(const Options& options) {
  std::string method = base::trim(options.text("method"));
  for (const std::string& word : base::split(method, '.')) {
    const bool is_word = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0;
    });
    const bool is_there = method.find('.') != std::string::npos;
    if (!method.empty() && !(is_word && is_there)) {
      throw options.wrong_value("method", "a method of the Web API, for example reactions.add");
    }
  }
  return method;
}

std::string read_ephemeral(const Options& options) {
  std::string user = base::trim(options.text("ephemeral"));
  if (user.empty() || slack::is_user(user)) return user;
  throw options.wrong_value(
      "ephemeral",
      "a user's ID (U0123ABCD; in Slack: the profile's menu, Copy member ID) or e-mail address");
}

// A ts, or the results of an earlier step.
std::string read_update(const Options& options) {
  const std::string text = base::trim(options.text("update"));
  return text.starts_with('{') ? text : read_ts(options, "update");
}

Overflow read_overflow(const Options& options) {
  const std::string word = options.choice("overflow");
  if (word == "thread") return Overflow::thread;
  if (word == "file") return Overflow::file;
  return word == "fail" ? Overflow::fail : Overflow::split;
}

void refuse(const std::string& problem) {
  if (!problem.empty()) throw base::Error(base::exit_usage, problem);
}

// What names the place more nearly than a channel of the environment does.
bool has_nearer_place(const Options& options, const PostSettings& settings) {
  return options.is_on("user-email") || names_channel(settings.payload) ||
         settings.update.starts_with('{') || !takes_text(settings.method) ||
         is_for_workflow(options);
}

// What only one of webhook and token can do decides for it when both are known.
Delivery read_post_delivery(const Options& options, const PostSettings& settings) {
  const bool by_method = !token_only(options, settings).empty();
  Delivery delivery = read_delivery(options, by_method || names_channel(settings.payload));
  const std::string token = base::trim(options.text("token"));
  if (is_for_workflow(options)) {
    delivery.sender.webhook = base::trim(options.text("webhook"));
    delivery.sender.token.clear();
  } else if (by_method && !token.empty() && !options.is_given("webhook")) {
    delivery.sender.webhook.clear();
    delivery.sender.token = token;
  }
  const bool is_far = options.source("channel") == Source::environment;
  if (is_far && has_nearer_place(options, settings)) delivery.channels.clear();
  const std::string email = base::trim(options.text("user-email"));
  const auto known = std::find(delivery.channels.begin(), delivery.channels.end(), email);
  if (!email.empty() && known == delivery.channels.end()) delivery.channels.push_back(email);
  return delivery;
}

// A text from the environment does not matter where none is taken.
bool has_own_text(const Options& options) {
  return !has_payload(options) && !is_for_workflow(options) &&
         takes_text(base::trim(options.text("method")));
}

}  // namespace

std::vector<Option> slack_post_options() {
  std::vector<Option> table;
  for (const auto& more : {content_options(), status_options(), delivery_options(), where_options(),
                           looks_options(), output_options()}) {
    table.insert(table.end(), more.begin(), more.end());
  }
  return table;
}

Page slack_post_help() {
  return {"[TEXT] [options]",
          "Posts a text, a payload, files or a stream of lines to Slack, by incoming webhook or by "
          "bot token, and succeeds only when Slack says so. A step of slack-github-action works "
          "with the same inputs, and the variables of action-slack-notify are understood.\n"
          "Outputs for later steps: ok (true, false, or empty when nothing was sent), response "
          "(Slack's reply), time, channel_id, ts, thread_ts, results (JSON, by channel).",
          "  " PRODUCT_NAME
          " slack-post --channel '#ops' \"Deploy of v1.2 is done\"\n"
          "  " PRODUCT_NAME
          " slack-post --channel C0123ABCD --file report.pdf \"The nightly report\"\n"
          "  tail -F app.log | " PRODUCT_NAME
          " slack-post --stream --tee --channel '#logs'\n"
          "  " PRODUCT_NAME
          " slack-post --method reactions.add --channel '#ops' \\\n"
          "      --payload '{\"timestamp\": \"1700000000.000100\", \"name\": \"tada\"}'\n"};
}

PostSettings read_post_words(const Options& options) {
  PostSettings settings;
  settings.dry_run = options.toggle("dry-run");
  settings.as_json = wants_json(options);
  settings.errors = options.toggle("errors");
  settings.is_stream = options.toggle("stream");
  settings.method = read_method(options);
  settings.ephemeral = read_ephemeral(options);
  settings.update = read_update(options);
  settings.broadcast = options.toggle("broadcast");
  settings.overflow = read_overflow(options);
  settings.trust = read_trust(options);
  if (!has_payload(options)) settings.looks = read_looks(options);
  settings.files = options.list("file");
  refuse(problem_of_content(options, settings));  // before a file or standard input is read
  settings.line = make_line(options, kSlackPost);
  const bool patience_is_given =
      options.source("retry-budget") != Source::fallback || options.is_on("retries");
  if (settings.is_stream && !patience_is_given) settings.line.retry.budget_ms = kStreamBudgetMs;
  return settings;
}

void read_post_documents(const Options& options, PostSettings& settings) {
  settings.payload = read_payload(options);
  settings.blocks = read_blocks(options);
}

void read_post_place(const Options& options, PostSettings& settings) {
  settings.delivery = read_post_delivery(options, settings);
  refuse(problem_of_place(options, settings));
}

PostSettings read_post_settings(const Options& options) {
  PostSettings settings = read_post_words(options);
  read_post_documents(options, settings);
  read_post_place(options, settings);
  return settings;
}

bool text_from_stdin(const Options& options) {
  const std::string text = options.text("text");
  return has_own_text(options) && (text == "-" || (text.empty() && !has_other_content(options)));
}

std::string read_post_text(const Options& options) {
  if (!has_own_text(options)) return "";
  std::string text = options.text("text");
  const bool from_stdin = text_from_stdin(options);
  if (from_stdin && ::isatty(STDIN_FILENO) == 1) {
    report_progress(kSlackPost, "reading the text from standard input; Ctrl-D ends it");
  }
  if (from_stdin) text = base::read_file("-", kMaxTextBytes, "the text");
  while (from_stdin && (text.ends_with('\n') || text.ends_with('\r'))) text.pop_back();
  if (text.find('\0') != std::string::npos) {
    throw base::Error(base::exit_bad_input,
                      "the text is binary (it holds NUL bytes); post it as a file: --file");
  }
  if (base::first_invalid_utf8(text)) {
    report_notice(options.env(), kSlackPost,
                  "the text is not UTF-8; what can't be read is shown as \uFFFD");
  }
  if (from_stdin && base::trim(text).empty() && !options.is_on("title")) {
    throw base::Error(base::exit_bad_input,
                      "nothing to post: no text is given, and standard input is empty");
  }
  return text;
}

}  // namespace commands
