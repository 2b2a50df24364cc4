#include <doctest/doctest.h>

#include "json/read.hpp"
#include "json/write.hpp"
#include "slack/message.hpp"

namespace {

slack::Message example() {
  slack::Message message;
  message.text = "news <https://x|a>";
  message.blocks = {{slack::Block::Kind::section, "*<https://x|a>* edited\n```\n+b\n```"},
                    {slack::Block::Kind::context, "and 2 more"}};
  return message;
}

}  // namespace

TEST_CASE("the payload of a plain message") {
  CHECK(
      json::write(slack::payload(example())) ==
      R"({"text":"news <https://x|a>","blocks":[)"
      R"({"type":"section","text":{"type":"mrkdwn","text":"*<https://x|a>* edited\n```\n+b\n```","verbatim":true}},)"
      R"({"type":"context","elements":[{"type":"mrkdwn","text":"and 2 more","verbatim":true}]}],)"
      R"("unfurl_links":false})");
}

TEST_CASE("channel, thread and looks are sent when given, and only then") {
  slack::Message message = example();
  message.channel = "#ops";
  message.thread_ts = "1.2";
  message.looks = {"wiki", ":books:", "https://x/i.png", "", true, false};
  const json::Value payload(slack::payload(message));
  CHECK(json::string_at(payload, "channel") == "#ops");
  CHECK(json::string_at(payload, "thread_ts") == "1.2");
  CHECK(json::string_at(payload, "username") == "wiki");
  CHECK(json::string_at(payload, "icon_emoji") == ":books:");
  CHECK(json::string_at(payload, "icon_url") == "https://x/i.png");
  CHECK(json::bool_at(payload, "unfurl_links"));
  for (const std::string name : {"channel", "thread_ts", "username", "icon_emoji", "icon_url"}) {
    CAPTURE(name);
    const json::Value sent(slack::payload(example()));
    CHECK(json::find(sent, name) == nullptr);
  }
}

TEST_CASE("with a colour the blocks move beside the bar, and the text is not shown twice") {
  slack::Message message = example();
  message.looks.color = "good";
  const json::Value payload(slack::payload(message));
  CHECK(json::find(payload, "text") == nullptr);
  CHECK(json::find(payload, "blocks") == nullptr);
  const json::Array* attachments = json::as_array(json::find(payload, "attachments"));
  REQUIRE(attachments != nullptr);
  REQUIRE(attachments->size() == 1);
  CHECK(json::string_at(attachments->front(), "color") == "good");
  CHECK(json::string_at(attachments->front(), "fallback") == "news <https://x|a>");
  CHECK(json::as_array(json::find(attachments->front(), "blocks"))->size() == 2);
}
