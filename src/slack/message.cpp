#include "slack/message.hpp"

namespace slack {

namespace {

// verbatim: Slack makes no links, mentions or channels out of words in the text.
json::Value mrkdwn_object(const std::string& text) {
  return json::Object{{"type", "mrkdwn"}, {"text", text}, {"verbatim", true}};
}

json::Object block_object(const Block& block) {
  switch (block.kind) {
    case Block::Kind::context:
      return {{"type", "context"}, {"elements", json::Array{mrkdwn_object(block.text)}}};
    case Block::Kind::markdown:
      return {{"type", "markdown"}, {"text", block.text}};
    case Block::Kind::section:
      break;
  }
  return {{"type", "section"}, {"text", mrkdwn_object(block.text)}};
}

json::Array block_list(const Message& message) {
  using Kind = Block::Kind;
  json::Array list;
  if (!message.title.empty()) {
    list.emplace_back(block_object({Kind::section, "*" + message.title + "*"}));
  }
  for (const Block& block : message.blocks) list.emplace_back(block_object(block));
  if (!message.footer.empty()) list.emplace_back(block_object({Kind::context, message.footer}));
  return list;
}

void add(json::Object& object, const char* name, const std::string& value) {
  if (!value.empty()) object.push_back({name, value});
}

// What a colour needs, and beside a text alone a title or a footer. A text beside an attachment
// would be shown a second time; its fallback is not.
json::Object attachment(const Message& message) {
  json::Object object;
  add(object, "color", message.looks.color);
  object.push_back({"fallback", message.text.empty() ? message.title : message.text});
  if (!message.blocks.empty()) {
    object.push_back({"blocks", block_list(message)});
    return object;
  }
  add(object, "title", message.title);
  add(object, "text", message.text);
  add(object, "footer", message.footer);
  object.push_back({"mrkdwn_in", message.formatted ? json::Array{"text"} : json::Array{}});
  return object;
}

}  // namespace

json::Object payload(const Message& message) {
  json::Object body;
  add(body, "channel", message.channel);
  const bool has_frame = !message.title.empty() || !message.footer.empty();
  const bool attached = !message.looks.color.empty() || (has_frame && message.blocks.empty());
  if (attached) {
    add(body, "text", message.lead);
    body.push_back({"attachments", json::Array{attachment(message)}});
  } else {
    add(body, "text", message.text);
    if (!message.blocks.empty()) body.push_back({"blocks", block_list(message)});
    if (!message.formatted) body.push_back({"mrkdwn", false});
  }
  add(body, "thread_ts", message.thread_ts);
  if (message.broadcast) body.push_back({"reply_broadcast", true});
  add(body, "username", message.looks.username);
  add(body, "icon_emoji", message.looks.icon_emoji);
  add(body, "icon_url", message.looks.icon_url);
  body.push_back({"unfurl_links", message.looks.unfurl_links});
  if (message.looks.link_names) body.push_back({"link_names", true});
  return body;
}

}  // namespace slack
