#include <doctest/doctest.h>

#include "slack/message.hpp"
#include "slack/preview.hpp"

namespace {

slack::Message example() {
  slack::Message message;
  message.text = "news <https://x|a>";
  message.blocks = {{slack::Block::Kind::section, "*<https://x|a>* edited\n```\n+b\n```"},
                    {slack::Block::Kind::context, "and 2 more"}};
  return message;
}

}  // namespace

TEST_CASE("a message shown at a terminal") {
  CHECK(slack::shown(slack::payload(example()), false) == "a edited\n+b\n\nand 2 more\n");
  CHECK(slack::shown(slack::payload(example()), true) ==
        "\033[1ma\033[0m edited\n+b\n\nand 2 more\n");
}

TEST_CASE("a star in a title stays where it is") {
  slack::Message message;
  message.blocks = {{slack::Block::Kind::section, "*<https://x|a*b>* edited"},
                    {slack::Block::Kind::section, "*a*b* edited"},
                    {slack::Block::Kind::section, "*a"}};
  CHECK(slack::shown(slack::payload(message), false) == "a*b edited\n\na*b edited\n\n*a\n");
}

TEST_CASE("the Block Kit Builder's link holds the blocks, encoded") {
  const std::string url = slack::builder_url(slack::payload(example()));
  CHECK(url.starts_with("https://app.slack.com/block-kit-builder/#%7B%22blocks%22"));
  CHECK(url.find_first_of(" \"<>{}") == std::string::npos);
}
