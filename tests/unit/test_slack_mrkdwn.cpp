#include <doctest/doctest.h>

#include "slack/mrkdwn.hpp"

TEST_CASE("foreign text shows as it was and does nothing") {
  struct Row {
    std::string text;
    std::string escaped;
  };
  const Row rows[] = {
      {"plain", "plain"},
      {"a & b < c > d", "a &amp; b &lt; c &gt; d"},
      {"&lt;", "&amp;lt;"},
      {"<!channel> <@U1> <#C1> <https://x|y>",
       "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt; &lt;https://x|y&gt;"},
      {"`code` and ```fence```", "ˋcodeˋ and ˋˋˋfenceˋˋˋ"},
      {"two\nlines\r\nof\ttext", "two lines  of text"},
      {"\x1b[31mred", "[31mred"},
      {"\xff", "\xEF\xBF\xBD"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(slack::escape(row.text) == row.escaped);
  }
}

TEST_CASE("a link can't be ended early by its label or its address") {
  struct Row {
    std::string url;
    std::string label;
    std::string link;
  };
  const Row rows[] = {
      {"https://x/a", "Home", "<https://x/a|Home>"},
      {"https://x/a?b=1&c=2", "Home", "<https://x/a?b=1&amp;c=2|Home>"},
      {"https://x/a|b>c d", "a|b>c\nd", "<https://x/a%7Cb%3Ec%20d|a¦b&gt;c d>"},
      {"https://x/<!here>", "x", "<https://x/%3C!here%3E|x>"},
      {"javascript:alert(1)", "x", "x"},
      {"!channel", "x", "x"},
      {"", "x", "x"},
      {"https://", "x", "x"},
      {"https:///a", "x", "x"},
      {"https://x/a", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    CHECK(slack::link(row.url, row.label) == row.link);
  }
  CHECK(slack::link("https://x/" + std::string(1'600, 'a'), "long") == "long");
}

TEST_CASE("mrkdwn as plain text") {
  struct Row {
    std::string mrkdwn;
    std::string text;
  };
  const Row rows[] = {
      {"<https://x/a|Home> edited", "Home edited"},
      {"<https://x/a>", "https://x/a"},
      {"<@U1> <!here> <#C1|ops>", "@U1 @here @ops"},
      {"a &lt;b&gt; &amp;amp;", "a <b> &amp;"},
      {"open < end", "open < end"},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.mrkdwn);
    CHECK(slack::plain_text(row.mrkdwn) == row.text);
  }
}

TEST_CASE("foreign text of several lines keeps its lines") {
  CHECK(slack::escape_lines("a <b>\r\n```\tc") == "a &lt;b&gt;\nˋˋˋ c");
  CHECK(slack::escape_plain("a <b>\r\n```\tc\x07") == "a &lt;b&gt;\n```\tc");
  CHECK(slack::escape_plain("\x1b[1;31mred\x1b[0m \x1b[K<@U1>") == "red &lt;@U1&gt;");
  CHECK(slack::escape_plain("\x1b[") == "");
  CHECK(slack::escape_plain("10%\r20%\r\n") == "10%\n20%\n");
}

TEST_CASE("markup without calls to a crowd") {
  struct Row {
    std::string text;
    bool names;
    std::string safe;
  };
  const Row rows[] = {
      {"*a* <@U1> <https://x|y>", true, "*a* <@U1> <https://x|y>"},
      {"<!channel> <!here|x> <!everyone>", false, "&lt;!channel> &lt;!here|x> &lt;!everyone>"},
      {"<!subteam^S1>", false, "&lt;!subteam^S1>"},
      {"<!date^1^{date}|x>", false, "<!date^1^{date}|x>"},
      {"&lt;!date^1^{date}|x&gt;", false, "&lt;!date^1^{date}|x&gt;"},
      {"@channel @Here ada@here.example", false, "@channel @Here ada@here.example"},
      {"@channel @Here", true,
       "@\xE2\x81\xA0"
       "channel @\xE2\x81\xA0Here"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(slack::without_broadcasts(row.text, row.names) == row.safe);
  }
}
