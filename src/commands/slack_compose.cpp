#include "commands/slack_compose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/input.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "commands/slack_status.hpp"
#include "json/read.hpp"
#include "slack/lookup.hpp"
#include "slack/mrkdwn.hpp"
#include "slack/split.hpp"

namespace commands {

namespace {

constexpr size_t kMaxMarkdown = 12'000;
constexpr size_t kMostParts = 100;
constexpr size_t kMaxExcerpt = 300;

// Methods that find a channel by its name themselves; all others want its ID.
constexpr const char* kNameMethods[] = {slack::kPostMessage, "chat.postEphemeral",
                                        "chat.scheduleMessage"};

void set_argument(json::Object& arguments, const std::string& name, json::Value value) {
  for (json::Member& argument : arguments) {
    if (argument.name == name) {
      argument.value = std::move(value);
      return;
    }
  }
  arguments.push_back({name, std::move(value)});
}

void set_missing(json::Object& arguments, const std::string& name, const std::string& value) {
  const bool is_there = json::find(json::Value(arguments), name) != nullptr;
  if (!value.empty() && !is_there) arguments.push_back({name, value});
}

bool by_webhook(const PostSettings& settings) {
  return !settings.delivery.sender.webhook.empty();
}

// One message's place: a channel as written, and for an update the ts.
struct Place {
  std::string channel;  // "" when the webhook, the method or the payload decides
  std::string ts;
};

// The messages that an earlier step posted, from its output results.
std::vector<Place> places_of_results(const std::string& results) {
  const json::Value document = json::parse(results, "--update");
  std::vector<Place> places;
  for (const json::Member& result : *json::as_object(&document)) {
    const std::string id = json::string_at(result.value, "channel_id");
    const std::string ts = json::string_at(result.value, "ts");
    if (!id.empty() && !ts.empty()) places.push_back({id, ts});
  }
  if (!places.empty()) return places;
  throw base::Error(base::exit_bad_input,
                    "--update names no message: none of these results has channel_id and ts");
}

std::vector<Place> places_of(const PostSettings& settings) {
  if (settings.update.starts_with('{')) return places_of_results(settings.update);
  std::vector<Place> places;
  for (const std::string& channel : settings.delivery.channels) {
    places.push_back({channel, settings.update});
  }
  if (places.empty()) places.push_back({"", settings.update});
  return places;
}

// What a place is called in results and errors.
std::string name_of(const Place& place, const PostSettings& settings) {
  if (by_webhook(settings)) return "webhook";
  if (!place.channel.empty()) return place.channel;
  const json::Value payload(settings.payload);
  for (const char* name : {"channel", "channel_id"}) {
    const std::string channel = json::string_at(payload, name);
    if (!channel.empty()) return channel;
  }
  return settings.method;
}

std::string method_of(const PostSettings& settings) {
  if (!settings.method.empty()) return settings.method;
  if (!settings.update.empty()) return "chat.update";
  return settings.ephemeral.empty() ? slack::kPostMessage : "chat.postEphemeral";
}

// The line that tells of it when Slack took it.
std::string done_line(const std::string& name, const PostSettings& settings) {
  const std::string method = method_of(settings);
  if (method == "chat.update") return "updated the message in " + name;
  if (!settings.ephemeral.empty()) {
    return fmt::format("posted to {} for {} only", name, settings.ephemeral);
  }
  if (method == slack::kPostMessage) return "posted to " + name;
  return name == method ? fmt::format("{} is done", method)
                        : fmt::format("{} is done for {}", method, name);
}

// A call's arguments, with where it goes and to what it belongs.
slack::Call call_at(const Place& place, json::Object arguments, const PostSettings& settings) {
  slack::Call call{method_of(settings), std::move(arguments)};
  if (!place.channel.empty()) set_argument(call.arguments, "channel", place.channel);
  set_missing(call.arguments, "ts", place.ts);
  set_missing(call.arguments, "thread_ts", settings.delivery.thread_ts);
  set_missing(call.arguments, "user", settings.ephemeral);
  if (settings.broadcast) set_argument(call.arguments, "reply_broadcast", true);
  return call;
}

// --- A payload, or a method with what the flags say ---

std::vector<Sending> compose_payload(const PostSettings& settings) {
  std::vector<Sending> sendings;
  for (const Place& place : places_of(settings)) {
    Sending sending;
    sending.place = name_of(place, settings);
    sending.done = done_line(sending.place, settings);
    sending.calls = {call_at(place, settings.payload, settings)};
    sendings.push_back(std::move(sending));
  }
  return sendings;
}

// --- Files ---

net::BodyStream body_of(const base::Parts& parts) {
  return {parts.bytes, parts.read};
}

net::BodyStream body_of(const std::string& text) {
  return {static_cast<int64_t>(text.size()), [text](int64_t offset, char* to, size_t most) {
            const size_t bytes = std::min(most, text.size() - static_cast<size_t>(offset));
            std::memcpy(to, text.data() + offset, bytes);
            return bytes;
          }};
}

slack::File open_file(const std::string& path, const std::string& filename, const base::Env& env) {
  slack::File file;
  file.filename = filename.empty() ? path.substr(path.rfind('/') + 1) : filename;
  file.body = body_of(base::open_parts(path, env));
  if (file.body.bytes > 0) return file;
  throw base::Error(base::exit_bad_input, fmt::format("{} is empty, and Slack takes no empty files",
                                                      path == "-" ? "standard input" : path));
}

Sending file_sending(const Place& place, const std::vector<slack::File>& files,
                     const std::string& comment, const PostSettings& settings) {
  Sending sending;
  std::vector<std::string> names;
  for (const slack::File& file : files) names.push_back(file.filename);
  sending.place = name_of(place, settings);
  sending.done = fmt::format("uploaded {} to {}", base::join(names, ", "), sending.place);
  sending.files = files;
  slack::Call call{slack::kCompleteUpload, {{"channel_id", place.channel}}};
  set_missing(call.arguments, "thread_ts", settings.delivery.thread_ts);
  set_missing(call.arguments, "initial_comment", comment);
  sending.calls = {std::move(call)};
  return sending;
}

std::vector<Sending> compose_files(const Options& options, const PostSettings& settings,
                                   const std::string& text) {
  std::vector<slack::File> files;
  for (const std::string& path : settings.files) {
    files.push_back(open_file(path, options.text("filename"), options.env()));
    files.back().title = options.text("title");
  }
  const std::string comment = encoded_text(text, settings.trust);
  if (base::utf16_length(comment) > slack::kMaxText) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("the comment has {} characters, {} are the most",
                                  base::utf16_length(comment), slack::kMaxText));
  }
  std::vector<Sending> sendings;
  for (const Place& place : places_of(settings)) {
    sendings.push_back(file_sending(place, files, comment, settings));
  }
  return sendings;
}

// --- Text ---

struct Parts {
  std::vector<std::string> texts;  // encoded
  size_t most_units = 0;
};

Parts parts_of(const std::string& text, bool is_markdown, const Trust& trust) {
  if (is_markdown) {
    const std::string safe =
        trust.broadcasts ? text : slack::without_broadcasts(text, trust.link_names);
    return {slack::split(base::repair_utf8(safe), kMaxMarkdown, slack::Markup::markdown),
            kMaxMarkdown};
  }
  return {slack::split(encoded_text(text, trust), slack::kMaxText,
                       trust.mrkdwn ? slack::Markup::mrkdwn : slack::Markup::none),
          slack::kMaxText};
}

slack::Message text_message(const std::string& text, bool is_markdown,
                            const PostSettings& settings) {
  slack::Message message;
  message.text = text;
  message.formatted = settings.trust.mrkdwn || is_markdown;
  message.looks = settings.looks;
  if (!is_markdown) return message;
  message.blocks = {{slack::Block::Kind::markdown, text}};
  message.text = slack::escape(base::shorten(text, kMaxExcerpt));
  return message;
}

std::vector<json::Object> text_payloads(const Options& options, const PostSettings& settings,
                                        const Parts& parts) {
  std::vector<json::Object> payloads;
  std::vector<std::string> texts = parts.texts;
  if (texts.empty()) texts.emplace_back();  // a title alone
  for (size_t i = 0; i < texts.size(); ++i) {
    slack::Message message = text_message(texts[i], options.toggle("markdown"), settings);
    if (i == 0) message.title = slack::escape(options.text("title"));
    if (i + 1 == texts.size()) message.footer = slack::escape(options.text("footer"));
    payloads.push_back(slack::payload(message));
  }
  return payloads;
}

void check_length(const Parts& parts, const std::string& text, const PostSettings& settings) {
  if (parts.texts.size() < 2) return;
  const std::string length =
      fmt::format("the text has {} characters, and Slack takes {} in a message",
                  base::utf16_length(text), parts.most_units);
  if (settings.overflow == Overflow::fail) throw base::Error(base::exit_bad_input, length);
  if (!settings.update.empty()) {
    throw base::Error(base::exit_bad_input, length + "; an update can't be split");
  }
  if (settings.overflow != Overflow::file && parts.texts.size() > kMostParts) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{}; {} messages are too many, give --overflow file or --stream",
                                  length, parts.texts.size()));
  }
}

// The whole text as a file, its beginning as the comment.
std::vector<Sending> compose_overflow(const Options& options, const PostSettings& settings,
                                      const std::string& text) {
  slack::File file;
  file.filename = options.toggle("markdown") ? "message.md" : "message.txt";
  file.title = options.text("title");
  file.body = body_of(text);
  const std::string comment =
      trusted_mrkdwn(base::shorten(text, kMaxExcerpt), {false, false, settings.trust.link_names});
  std::vector<Sending> sendings;
  for (const Place& place : places_of(settings)) {
    sendings.push_back(file_sending(place, {file}, comment, settings));
  }
  return sendings;
}

std::vector<Sending> compose_messages(const std::vector<json::Object>& payloads,
                                      const PostSettings& settings) {
  std::vector<Sending> sendings;
  for (const Place& place : places_of(settings)) {
    Sending sending;
    sending.place = name_of(place, settings);
    sending.done = done_line(sending.place, settings);
    sending.in_thread = settings.overflow == Overflow::thread;
    for (const json::Object& payload : payloads) {
      sending.calls.push_back(call_at(place, payload, settings));
    }
    if (payloads.size() > 1) sending.done += fmt::format(" in {} messages", payloads.size());
    sendings.push_back(std::move(sending));
  }
  return sendings;
}

json::Object blocks_payload(const PostSettings& settings, const std::string& text) {
  slack::Message message;
  message.text = encoded_text(text, settings.trust);
  message.formatted = true;
  message.looks = settings.looks;
  const std::string color = std::exchange(message.looks.color, "");
  json::Object payload = slack::payload(message);
  if (color.empty()) {
    set_argument(payload, "blocks", settings.blocks);
  } else {
    const json::Object attachment{{"color", color}, {"blocks", settings.blocks}};
    set_argument(payload, "attachments", json::Array{attachment});
  }
  return payload;
}

// files.uploadV2 is no method of Slack but the official clients' word for the whole flow; workflows
// use it. Its arguments name one file, or several under file_uploads.
std::vector<Sending> compose_upload_v2(const PostSettings& settings, const base::Env& env) {
  const json::Value payload(settings.payload);
  json::Array several;
  if (const json::Array* list = json::as_array(json::find(payload, "file_uploads"))) {
    several = *list;
  }
  const bool names_one = json::find(payload, "file") || json::find(payload, "content");
  if (names_one || several.empty()) several.insert(several.begin(), payload);
  std::vector<slack::File> files;
  for (const json::Value& one : several) {
    const std::string content = json::string_at(one, "content");
    const std::string path = json::string_at(one, "file");
    const std::string filename = json::string_at(one, "filename");
    if (content.empty() && path.empty()) {
      throw base::Error(base::exit_bad_input,
                        "files.uploadV2 wants a file (a path) or content in its payload");
    }
    slack::File file;
    if (content.empty()) {
      file = open_file(path, filename, env);
    } else {
      file = {filename.empty() ? "file.txt" : filename, "", body_of(content)};
    }
    file.title = json::string_at(one, "title");
    files.push_back(std::move(file));
  }
  PostSettings own = settings;
  const std::string channel = json::string_at(payload, "channel_id");
  if (own.delivery.channels.empty()) own.delivery.channels = {channel};
  if (own.delivery.thread_ts.empty()) {
    own.delivery.thread_ts = json::string_at(payload, "thread_ts");
  }
  std::vector<Sending> sendings;
  for (const Place& place : places_of(own)) {
    sendings.push_back(
        file_sending(place, files, json::string_at(payload, "initial_comment"), own));
  }
  return sendings;
}

// --- IDs ---

bool takes_names(const std::string& method) {
  for (const char* known : kNameMethods) {
    if (method == known) return true;
  }
  return false;
}

void resolve_call(slack::Call& call, const std::string& place, const PostSettings& settings) {
  const slack::Sender& sender = settings.delivery.sender;
  const std::string name = call.method == slack::kCompleteUpload ? "channel_id" : "channel";
  const json::Value arguments(call.arguments);
  if (!place.empty() && json::string_at(arguments, name) == place) {
    const std::string id = takes_names(call.method)
                               ? slack::message_channel(sender, place, settings.line)
                               : slack::conversation_id(sender, place, settings.line);
    set_argument(call.arguments, name, id);
  }
  if (!settings.ephemeral.empty()) {
    set_argument(call.arguments, "user", slack::user_id(sender, settings.ephemeral, settings.line));
  }
}

}  // namespace

std::string encoded_text(const std::string& text, const Trust& trust) {
  if (trust.mrkdwn) return trusted_mrkdwn(text, trust);
  const std::string plain = slack::escape_plain(text);
  return trust.broadcasts ? plain : slack::without_broadcasts(plain, trust.link_names);
}

std::vector<Sending> compose_post(const Options& options, const PostSettings& settings) {
  const std::string text = read_post_text(options);
  if (settings.method == "files.uploadV2") return compose_upload_v2(settings, options.env());
  if (!settings.files.empty()) return compose_files(options, settings, text);
  if (!settings.blocks.empty()) {
    return compose_messages({blocks_payload(settings, text)}, settings);
  }
  if (!options.text("status").empty()) {
    const std::string below = trusted_mrkdwn(text, settings.trust);
    return compose_messages({slack::payload(status_message(options, below))}, settings);
  }
  if (text.empty() && options.text("title").empty()) return compose_payload(settings);
  const Parts parts = parts_of(text, options.toggle("markdown"), settings.trust);
  check_length(parts, text, settings);
  const bool overflows = parts.texts.size() > 1 && settings.overflow == Overflow::file;
  if (overflows) return compose_overflow(options, settings, text);
  return compose_messages(text_payloads(options, settings, parts), settings);
}

slack::Call stream_call(const PostSettings& settings, const std::string& place,
                        const std::string& text) {
  const std::string channel = by_webhook(settings) && place == "webhook" ? "" : place;
  return call_at({channel, ""}, slack::payload(text_message(text, false, settings)), settings);
}

void resolve_places(std::vector<Sending>& sendings, const PostSettings& settings) {
  if (by_webhook(settings)) return;
  for (Sending& sending : sendings) {
    try {
      for (slack::Call& call : sending.calls) resolve_call(call, sending.place, settings);
    } catch (const base::Error& error) {
      sending.error = base::Error(error.code(), fmt::format("{}: {}", sending.place, error.what()));
    }
  }
}

}  // namespace commands
