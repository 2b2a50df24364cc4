#include "slack/preview.hpp"

#include <vector>

#include "base/text.hpp"
#include "json/write.hpp"
#include "net/url.hpp"
#include "slack/mrkdwn.hpp"

namespace slack {

namespace {

// One line of mrkdwn at a terminal; *bold* at its start becomes bold.
std::string shown_line(const std::string& line, bool styled) {
  std::string text = line;
  const size_t link_end = line.starts_with("*<") ? line.find(">*") : std::string::npos;
  const size_t end = link_end == std::string::npos ? line.rfind('*') : link_end + 1;
  if (line.starts_with('*') && end > 0) {
    const std::string bold = line.substr(1, end - 1);
    text = (styled ? "\033[1m" + bold + "\033[0m" : bold) + line.substr(end + 1);
  }
  return plain_text(text);
}

std::string shown_text(const std::string& mrkdwn, bool styled) {
  std::string text;
  for (const std::string& line : base::split(mrkdwn, '\n')) {
    if (line != "```") text += shown_line(line, styled) + '\n';
  }
  return text;
}

void add_text(std::vector<std::string>& texts, const json::Value* value) {
  if (value == nullptr) return;
  const std::string* text = json::as_string(value);  // of a markdown block
  const std::string found = text != nullptr ? *text : json::string_at(*value, "text");
  if (!found.empty()) texts.push_back(found);
}

void add_texts_of_block(std::vector<std::string>& texts, const json::Value& block) {
  add_text(texts, json::find(block, "text"));
  for (const char* name : {"fields", "elements"}) {
    const json::Array* parts = json::as_array(json::find(block, name));
    if (parts == nullptr) continue;
    for (const json::Value& part : *parts) add_text(texts, &part);
  }
}

void add_texts_of(std::vector<std::string>& texts, const json::Value& holder) {
  const json::Array* blocks = json::as_array(json::find(holder, "blocks"));
  if (blocks != nullptr) {
    for (const json::Value& block : *blocks) add_texts_of_block(texts, block);
    return;
  }
  for (const char* name : {"pretext", "title", "text", "footer", "initial_comment"}) {
    add_text(texts, json::find(holder, name));
  }
}

const json::Array* attachments_of(const json::Value& arguments) {
  return json::as_array(json::find(arguments, "attachments"));
}

}  // namespace

std::string shown(const json::Object& arguments, bool styled) {
  const json::Value message(arguments);
  std::vector<std::string> texts;
  add_texts_of(texts, message);
  if (const json::Array* attachments = attachments_of(message)) {
    for (const json::Value& attachment : *attachments) add_texts_of(texts, attachment);
  }
  std::vector<std::string> parts;
  parts.reserve(texts.size());
  for (const std::string& text : texts) parts.push_back(shown_text(text, styled));
  return base::join(parts, "\n");
}

std::string builder_url(const json::Object& arguments) {
  const json::Value message(arguments);
  const json::Value* blocks = json::find(message, "blocks");
  const json::Array* attachments = attachments_of(message);
  if (attachments != nullptr && !attachments->empty()) {
    blocks = json::find(attachments->front(), "blocks");
  }
  if (blocks == nullptr) return "";
  return "https://app.slack.com/block-kit-builder/#" +
         net::percent_encode(json::write(json::Object{{"blocks", *blocks}}));
}

}  // namespace slack
