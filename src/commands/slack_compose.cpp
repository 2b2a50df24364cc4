#include "commands/slack_compose.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "commands/slack_files.hpp"
#include "commands/slack_places.hpp"
#include "commands/slack_status.hpp"
#include "slack/mrkdwn.hpp"
#include "slack/split.hpp"

namespace commands {

namespace {

constexpr size_t kMaxMarkdown = 12'000;
constexpr size_t kMostParts = 100;
constexpr size_t kMaxExcerpt = 300;

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
  return {slack::split(encoded_text(text, trust), slack::kMaxText, markup_of(trust)),
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

std::vector<Sending> compose_messages(const std::vector<json::Object>& payloads,
                                      const PostSettings& settings) {
  std::vector<Sending> sendings;
  for (const Place& place : places_of(settings)) {
    Sending sending = sending_to(place, settings);
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

}  // namespace

std::vector<Sending> compose_post(const Options& options, const PostSettings& settings) {
  const std::string text = read_post_text(options);
  if (settings.method == "files.uploadV2") return compose_upload_v2(settings, options.env());
  if (!settings.files.empty()) {
    return compose_files(options, settings, encoded_text(text, settings.trust));
  }
  if (!settings.blocks.empty()) {
    return compose_messages({blocks_payload(settings, text)}, settings);
  }
  if (!options.text("status").empty()) {
    const std::string below = trusted_mrkdwn(text, settings.trust);
    return compose_messages({slack::payload(status_message(options, below))}, settings);
  }
  if (text.empty() && options.text("title").empty())
    return compose_messages({settings.payload}, settings);
  const Parts parts = parts_of(text, options.toggle("markdown"), settings.trust);
  check_length(parts, text, settings);
  const bool overflows = parts.texts.size() > 1 && settings.overflow == Overflow::file;
  if (overflows) return compose_text_file(options, settings, text);
  return compose_messages(text_payloads(options, settings, parts), settings);
}

slack::Call stream_call(const PostSettings& settings, const std::string& place,
                        const std::string& text) {
  const std::string channel = settings.delivery.sender.webhook.empty() ? place : "";
  return call_at({channel, ""}, slack::payload(text_message(text, false, settings)), settings);
}

}  // namespace commands
