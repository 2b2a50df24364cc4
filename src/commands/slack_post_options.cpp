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
#include "commands/slack_status.hpp"
#include "slack/lookup.hpp"

namespace commands {

namespace {

constexpr size_t kMaxTextBytes = size_t{25} << 20U;
constexpr int64_t kStreamBudgetMs = 86'400'000;

// Options that say what the message is: one of them.
constexpr const char* kContents[] = {"stream", "payload", "payload-file-path", "blocks",
                                     "file",   "status",  "markdown"};

// An option and others, divided by spaces.
struct Relation {
  const char* name;
  const char* others;
};

// What a message of a text can have, and a document or another method's arguments can't.
constexpr const char* kOfTexts = "text title footer overflow";
constexpr const char* kLooks = "username icon-emoji icon-url color unfurl-links link-names";

// Options that can't both have their effect.
constexpr Relation kApart[] = {
    {"stream", "method update ephemeral title footer overflow"},
    {"payload", kOfTexts},
    {"payload", kLooks},
    {"payload-file-path", kOfTexts},
    {"payload-file-path", kLooks},
    {"blocks", "title footer overflow"},
    {"status", "overflow"},
    {"file", "method update broadcast overflow footer"},
    {"file", kLooks},
    {"method", "update ephemeral"},
    {"update", "ephemeral thread-ts"},
    {"ephemeral", "broadcast"},
    {"markdown", "mrkdwn"},
};

// Options that mean nothing without another, or without one of several.
constexpr Relation kNeeds[] = {
    {"tee", "stream"},
    {"interval", "stream"},
    {"drain-timeout", "stream"},
    {"filename", "file"},
    {"duration", "status"},
    {"mention-on", "status"},
    {"mentions", "mention-on"},
    {"allow-broadcast", "mrkdwn markdown link-names mention-on payload-templated"},
};

// Methods that post a text.
constexpr const char* kTextMethods[] = {"chat.postMessage", "chat.postEphemeral", "chat.update",
                                        "chat.scheduleMessage", "chat.meMessage"};

// Options that say what no webhook can do.
constexpr const char* kTokenOnly[] = {"method",    "file",   "user-email",
                                      "ephemeral", "update", "broadcast"};

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
      {text, "--overflow", "HOW", "", "split",
       "what becomes of a text over 4,000 characters (Markdown: 12,000): split (messages a second "
       "apart), thread (the rest answers the first), file (uploaded), fail (65)"},
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
      {files, "--file", "PATH|-", "", "",
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
      {group, "--webhook-type", "TYPE", "", "incoming-webhook",
       "incoming-webhook, or webhook-trigger for one that starts a workflow in Slack"},
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
       "false: exit with 0 although Slack refused; the output ok tells"},
  };
}

bool is_for_workflow(const Options& options) {
  return base::trim(options.text("webhook-type")) == "webhook-trigger";
}

// True for no method too, which is one of these.
bool takes_text(const std::string& method) {
  if (method.empty()) return true;
  for (const char* known : kTextMethods) {
    if (method == known) return true;
  }
  return false;
}

bool has_payload(const Options& options) {
  return options.is_on("payload") || options.is_on("payload-file-path");
}

// True when something is posted that needs no text.
bool has_other_content(const Options& options) {
  for (const char* name : kContents) {
    const bool shows_text = std::string_view(name) == "markdown";
    if (!shows_text && options.is_on(name)) return true;
  }
  return !takes_text(base::trim(options.text("method"))) || is_for_workflow(options);
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
  const std::string word = base::trim(options.text("overflow"));
  if (word == "split") return Overflow::split;
  if (word == "thread") return Overflow::thread;
  if (word == "file") return Overflow::file;
  if (word == "fail") return Overflow::fail;
  throw options.wrong_value("overflow", "split, thread, file or fail");
}

bool names_channel(const json::Object& payload) {
  const json::Value arguments(payload);
  for (const char* name : {"channel", "channel_id", "channels"}) {
    if (!json::string_at(arguments, name).empty()) return true;
  }
  return false;
}

// What only a bot token can do; "" when none of it is asked for.
std::string token_only(const Options& options, const PostSettings& settings) {
  for (const char* name : kTokenOnly) {
    if (options.is_on(name)) return std::string("--") + name;
  }
  if (settings.overflow == Overflow::thread) return "--overflow thread";
  if (settings.overflow == Overflow::file) return "--overflow file";
  return settings.delivery.channels.size() > 1 ? "several --channel" : "";
}

// The first of the options, divided by spaces, that is given; "" when none is.
std::string first_given(const Options& options, const char* names) {
  for (const std::string& name : base::split(names, ' ')) {
    if (options.is_given(name)) return name;
  }
  return "";
}

bool any_on(const Options& options, const char* names) {
  for (const std::string& name : base::split(names, ' ')) {
    if (options.is_on(name)) return true;
  }
  return false;
}

// "--a, --b or --c"
std::string named_in_words(const char* names) {
  std::vector<std::string> words = base::split(names, ' ');
  for (std::string& word : words) word.insert(0, "--");
  const std::string last = words.back();
  words.pop_back();
  return words.empty() ? last : fmt::format("{} or {}", base::join(words, ", "), last);
}

// What has its effect on a payload, or for want of one no effect. Workflows and methods may do
// without a payload, and action inputs for it may be there all the same.
std::string problem_of_payload(const Options& options) {
  const bool needs_none = is_for_workflow(options) || options.is_on("method");
  const bool has_text = !has_payload(options) && takes_text(base::trim(options.text("method")));
  if (options.is_given("mrkdwn") && !has_text && !options.toggle("payload-templated")) {
    return "--mrkdwn needs a text, or --payload-templated: a payload passes as it is";
  }
  if (has_payload(options) || needs_none) return "";
  if (options.is_given("payload-templated") && !options.is_on("blocks")) {
    return "--payload-templated needs --payload, --payload-file-path or --blocks";
  }
  if (options.is_given("payload-delimiter")) {
    return "--payload-delimiter needs --payload, --payload-file-path or --webhook-type "
           "webhook-trigger";
  }
  return "";
}

std::string problem_of_pairs(const Options& options) {
  std::string first;
  for (const char* name : kContents) {
    if (!options.is_on(name)) continue;
    if (!first.empty()) return fmt::format("--{} and --{} can't go together", first, name);
    first = name;
  }
  for (const auto& [name, others] : kApart) {
    const std::string other = options.is_on(name) ? first_given(options, others) : "";
    if (!other.empty()) {
      return fmt::format("--{} and --{} can't go together; drop one of them", name, other);
    }
  }
  for (const auto& [name, owners] : kNeeds) {
    const bool is_lost = options.is_given(name) && !any_on(options, owners);
    if (is_lost) return fmt::format("--{} needs {}", name, named_in_words(owners));
  }
  return problem_of_payload(options);
}

// What neither a workflow of Slack nor a method without a text would show.
std::string problem_of_texts(const Options& options, const PostSettings& settings) {
  for (const char* names :
       {kOfTexts, kLooks, "blocks status markdown stream", "channel thread-ts"}) {
    const std::string name = first_given(options, names);
    const std::string shown = name == "text" ? "a text" : "--" + name;
    if (!name.empty() && is_for_workflow(options)) {
      return "a workflow in Slack takes its inputs by name: give --payload instead of " + shown;
    }
    const bool fits_methods = name == "blocks" || name == "channel" || name == "thread-ts";
    if (!name.empty() && !takes_text(settings.method) && !fits_methods) {
      return fmt::format("{} does not take {}; give its arguments as --payload", settings.method,
                         shown);
    }
  }
  return "";
}

std::string problem_of_stdin(const Options& options, const std::vector<std::string>& files) {
  int uses = payload_from_stdin(options) ? 1 : 0;
  if (options.text("text") == "-") ++uses;
  for (const std::string& file : files) {
    if (file == "-") ++uses;
    if (file == "-" && !options.is_on("filename")) {
      return "a file from standard input needs a name: give --filename";
    }
  }
  return uses > 1 ? "standard input (-) can be used once only" : "";
}

std::string problem_of_content(const Options& options, const PostSettings& settings) {
  for (const std::string& problem :
       {problem_of_pairs(options), problem_of_texts(options, settings)}) {
    if (!problem.empty()) return problem;
  }
  if (settings.is_stream && options.is_given("text") && options.text("text") != "-") {
    return "--stream posts standard input, so it can't go with a text";
  }
  if (settings.is_stream && options.toggle("tee") && (settings.as_json || settings.dry_run)) {
    return fmt::format("--tee and {} both want standard output; drop one of them",
                       settings.dry_run ? "--dry-run" : "JSON");
  }
  if (settings.is_stream && !settings.errors) {
    return "--stream and --errors=false can't go together";
  }
  if (settings.files.size() > 1 && options.is_on("filename")) {
    return "--filename names one file, and there are several";
  }
  const bool uploads = !settings.files.empty() || settings.overflow == Overflow::file;
  if (uploads && !settings.ephemeral.empty()) {
    return "--ephemeral can't hide a file: Slack shows it to the whole channel; send it to that "
           "person with --user-email, or as --channel their ID";
  }
  if (settings.overflow == Overflow::thread && !settings.ephemeral.empty()) {
    return "--ephemeral and --overflow thread can't go together: what one user sees has no thread";
  }
  return problem_of_stdin(options, settings.files);
}

std::string problem_of_place(const Options& options, const PostSettings& settings) {
  const Delivery& delivery = settings.delivery;
  const bool by_webhook = !delivery.sender.webhook.empty();
  const bool by_token = !delivery.sender.token.empty();
  const std::string needs_token = token_only(options, settings);
  const std::string method = settings.method.empty() ? "chat." : settings.method;
  const bool several = delivery.channels.size() > 1;
  const bool in_thread = !delivery.thread_ts.empty() || !settings.update.empty() ||
                         json::find(json::Value(settings.payload), "thread_ts") != nullptr;
  const bool has_place = !delivery.channels.empty() || names_channel(settings.payload) ||
                         settings.update.starts_with('{');
  const bool names_messages = settings.update.starts_with('{');
  if (names_messages && !delivery.channels.empty()) {
    return "--update with results names the channels itself; drop --channel and --user-email";
  }
  if (is_for_workflow(options) && !by_webhook && !settings.dry_run) {
    return "--webhook-type webhook-trigger needs --webhook, the workflow's own address";
  }
  if (by_webhook && !needs_token.empty()) {
    return fmt::format("{} needs a bot token (--token), a webhook can't do it", needs_token);
  }
  if (settings.broadcast && !in_thread) {
    return "--broadcast needs --thread-ts: it shows a thread's reply in the channel too";
  }
  if (!delivery.thread_ts.empty() && several) {
    return "--thread-ts belongs to one channel, so it can't go with several --channel";
  }
  if (!settings.update.empty() && !settings.update.starts_with('{') && several) {
    return "--update TS belongs to one channel; for several give it an earlier step's results";
  }
  if (by_token && !has_place && method.starts_with("chat.")) {
    return "a bot token needs a --channel (or --user-email)";
  }
  if (by_token && !has_place && !settings.files.empty()) return "--file needs a --channel";
  if (!by_webhook && !by_token && !settings.dry_run) {
    return "no way to Slack: give --webhook (SLACK_WEBHOOK), or --token (SLACK_BOT_TOKEN) with "
           "--channel";
  }
  return "";
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
  bool by_method = settings.overflow == Overflow::thread || settings.overflow == Overflow::file;
  for (const char* name : kTokenOnly) by_method = by_method || options.is_on(name);
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

PostSettings read_post_settings(const Options& options) {
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
  const std::string type = base::trim(options.text("webhook-type"));
  if (type != "incoming-webhook" && type != "webhook-trigger") {
    throw options.wrong_value("webhook-type", "incoming-webhook or webhook-trigger");
  }
  refuse(problem_of_content(options, settings));  // before a file or standard input is read
  settings.payload = read_payload(options);
  settings.blocks = read_blocks(options);
  settings.delivery = read_post_delivery(options, settings);
  refuse(problem_of_place(options, settings));
  settings.line = make_line(options, kSlackPost);
  const bool patience_is_given =
      options.source("retry-budget") != Source::fallback || options.is_on("retries");
  if (settings.is_stream && !patience_is_given) settings.line.retry.budget_ms = kStreamBudgetMs;
  return settings;
}

std::string read_post_text(const Options& options) {
  std::string text = options.text("text");
  // A text from the environment does not matter where none is taken.
  const bool takes_none = has_payload(options) || is_for_workflow(options) ||
                          !takes_text(base::trim(options.text("method")));
  if (takes_none) return "";
  const bool from_stdin = text == "-" || (text.empty() && !has_other_content(options));
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
