#include "commands/slack_post_rules.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"
#include "commands/relations.hpp"
#include "commands/slack_payload.hpp"

namespace commands {

namespace {

// Options that say what the message is: one of them.
constexpr const char* kContents = "stream payload payload-file-path blocks file status markdown";

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

std::string problem_of_options(const Options& options) {
  for (const std::string& problem :
       {problem_of_choice(options, kContents), problem_of_pairs(options, kApart),
        problem_of_needs(options, kNeeds)}) {
    if (!problem.empty()) return problem;
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

}  // namespace

bool is_for_workflow(const Options& options) {
  return options.choice("webhook-type") == "webhook-trigger";
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
  for (const std::string& name : base::split(kContents, ' ')) {
    if (name != "markdown" && options.is_on(name)) return true;
  }
  return !takes_text(base::trim(options.text("method"))) || is_for_workflow(options);
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

std::string problem_of_content(const Options& options, const PostSettings& settings) {
  for (const std::string& problem :
       {problem_of_options(options), problem_of_texts(options, settings)}) {
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
  const json::Value payload(settings.payload);
  const bool in_thread = !delivery.thread_ts.empty() || !settings.update.empty() ||
                         json::find(payload, "thread_ts") != nullptr;
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

}  // namespace commands
