#include <doctest/doctest.h>

#include "base/error.hpp"
#include "json/read.hpp"
#include "slack/mentions.hpp"

TEST_CASE("logins are found in any case, others are nobody") {
  const auto mentions =
      slack::read_mentions(json::parse_yaml("Mira: U0123ABCD\n'@bot-x': W0123ABCD\n", "m"), "m");
  CHECK(slack::mention_of(mentions, "mira") == "<@U0123ABCD>");
  CHECK(slack::mention_of(mentions, "BOT-X") == "<@W0123ABCD>");
  CHECK(slack::mention_of(mentions, "tomas").empty());
}

TEST_CASE("an empty file names nobody") {
  CHECK(slack::read_mentions(json::parse_yaml("# nobody yet\n", "m"), "m").empty());
}

TEST_CASE("what is no user ID is refused, as it would end up in markup") {
  for (const std::string yaml :
       {"a: U", "a: u0123abcd", "a: U0123ABC", "a: '<!channel>'", "a: U0123ABC>", "a: 12",
        "a: [U0123ABCD]", "a:", "- U0123ABCD", "U0123ABCD", "false"}) {
    CAPTURE(yaml);
    CHECK_THROWS_AS(slack::read_mentions(json::parse_yaml(yaml, "m"), "m"), base::Error);
  }
}
