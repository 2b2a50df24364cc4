#include "slack/message.hpp"

#include "base/text.hpp"
#include "json/write.hpp"
#include "net/url.hpp"

namespace slack {

namespace {

// verbatim: Slack makes no links, mentions or channels out of words in the text.
json::Value mrkdwn_object(const std::string& text) {
  return json::Object{{"type", "mrkdwn"}, {"text", text}, {"verbatim", true}};
}

json::Array block_list(const std::vector<Block>& blocks) {
  json::Array list;
  for (const Block& block : blocks) {
    if (block.kind == Block::Kind::section) {
      list.push_back(json::Object{{"type", "section"}, {"text", mrkdwn_object(block.mrkdwn)}});
    } else {
      list.push_back(json::Object{{"type", "context"},
                                  {"elements", json::Array{mrkdwn_object(block.mrkdwn)}}});
    }
  }
  return list;
}

void add(json::Object& object, const char* name, const std::string& value) {
  if (!value.empty()) object.push_back({name, value});
}

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

}  // namespace

json::Value payload(const Message& message) {
  json::Object body;
  add(body, "channel", message.channel);
  if (message.looks.color.empty()) {
    add(body, "text", message.text);
    body.push_back({"blocks", block_list(message.blocks)});
  } else {
    // A text beside an attachment would be shown a second time; its fallback is not.
    const json::Object attachment{{"color", message.looks.color},
                                  {"fallback", message.text},
                                  {"blocks", block_list(message.blocks)}};
    body.push_back({"attachments", json::Array{attachment}});
  }
  add(body, "thread_ts", message.thread_ts);
  add(body, "username", message.looks.username);
  add(body, "icon_emoji", message.looks.icon_emoji);
  add(body, "icon_url", message.looks.icon_url);
  body.push_back({"unfurl_links", message.looks.unfurl_links});
  return body;
}

std::string shown(const Message& message, bool styled) {
  std::string text;
  for (const Block& block : message.blocks) {
    if (!text.empty()) text += '\n';
    for (const std::string& line : base::split(block.mrkdwn, '\n')) {
      if (line != "```") text += shown_line(line, styled) + '\n';
    }
  }
  return text;
}

std::string builder_url(const Message& message) {
  const json::Value blocks = json::Object{{"blocks", block_list(message.blocks)}};
  return "https://app.slack.com/block-kit-builder/#" + net::percent_encode(json::write(blocks));
}

}  // namespace slack
