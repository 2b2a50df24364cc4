#include <doctest/doctest.h>

#include "base/error.hpp"
#include "json/read.hpp"
#include "slack/mentions.hpp"

TEST_CASE("logins are found in any case, others are nobody") {
  const auto mentions =
      slack::read_mentions(json::parse_yaml("Mira: U012\n'@bot-x': W9A\n", "m"), "m");
  CHECK(slack::mention_of(mentions, "mira") == "<@U012>");
  CHECK(slack::mention_of(mentions, "BOT-X") == "<@W9A>");
  CHECK(slack::mention_of(mentions, "tomas").empty());
}

TEST_CASE("an empty file names nobody") {
  CHECK(slack::read_mentions(json::parse_yaml("# nobody yet\n", "m"), "m").empty());
}

TEST_CASE("what is no user ID is refused, as it would end up in markup") {
  for (const std::string yaml : {"a: U", "a: u012", "a: '<!channel>'", "a: U1>", "a: 12",
                                 "a: [U012]", "a:", "- U012", "U012", "false"}) {
    CAPTURE(yaml);
    CHECK_THROWS_AS(slack::read_mentions(json::parse_yaml(yaml, "m"), "m"), base::Error);
  }
}
