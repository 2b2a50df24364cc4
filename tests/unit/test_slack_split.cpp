#include <doctest/doctest.h>

#include <random>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "slack/split.hpp"

using slack::Markup;

namespace {

std::string repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string without_breaks(const std::string& text) {
  return base::replace_all(text, "\n", "");
}

size_t count_of(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a text that fits stays as it is") {
  for (const Markup markup : {Markup::plain, Markup::mrkdwn, Markup::markdown}) {
    CHECK(slack::split("a\n```\nb\n", 200, markup) == std::vector<std::string>{"a\n```\nb\n"});
    CHECK(slack::split("", 200, markup).empty());
    CHECK(slack::split(" \n\n", 200, markup).empty());
  }
}

TEST_CASE("cut behind a line, else behind a word, else anywhere") {
  const std::string line = std::string(120, 'x');
  CHECK(slack::split(line + "\n" + line, 200, Markup::plain) ==
        std::vector<std::string>{line, line});
  CHECK(slack::split(line + " " + line, 200, Markup::plain) ==
        std::vector<std::string>{line + " ", line});
  CHECK(slack::split(line + line, 200, Markup::plain) ==
        std::vector<std::string>{std::string(200, 'x'), std::string(40, 'x')});
}

TEST_CASE("limits count UTF-16 units, and no code point is torn apart") {
  const std::string emoji = repeated("\xF0\x9F\x9A\x80", 150);  // two units each
  const auto parts = slack::split("x" + emoji, 200, Markup::plain);
  REQUIRE(parts.size() == 2);
  CHECK(base::utf16_length(parts[0]) == 199);
  CHECK(parts[0] + parts[1] == "x" + emoji);
}

TEST_CASE("escapes and links stay whole") {
  for (const std::string whole : {"&amp;", "&lt;", "<https://x.example/a|b c>", "<@U0123ABCD>"}) {
    for (size_t before = 120; before < 200; ++before) {
      CAPTURE(whole);
      CAPTURE(before);
      const auto parts =
          slack::split(std::string(before, 'x') + repeated(whole, 30), 200, Markup::mrkdwn);
      size_t found = 0;
      for (const std::string& part : parts) {
        CHECK(base::utf16_length(part) <= 200);
        found += count_of(part, whole);
      }
      CHECK(found == 30);
    }
  }
}

TEST_CASE("escapes stay whole in text without markup too, where backticks mean nothing") {
  for (size_t before = 190; before < 200; ++before) {
    CAPTURE(before);
    const auto parts =
        slack::split(std::string(before, 'x') + repeated("&amp;", 30), 200, Markup::plain);
    size_t found = 0;
    for (const std::string& part : parts) found += count_of(part, "&amp;");
    CHECK(found == 30);
  }
  const auto parts = slack::split("```\n" + repeated("text\n", 80), 300, Markup::plain);
  CHECK(parts[1].starts_with("text\n"));
}

TEST_CASE("what only looks like an escape or a link is text, however long") {
  const std::string text = "<" + std::string(900, 'x') + "&" + std::string(900, 'y') + "<a\nb>";
  std::string all;
  for (const std::string& part : slack::split(text, 200, Markup::mrkdwn)) {
    CHECK(base::utf16_length(part) <= 200);
    all += part;
  }
  CHECK(without_breaks(all) == without_breaks(text));
}

TEST_CASE("a fence is closed at the end of a part and opened again in the next") {
  const std::string text = "see:\n```\n" + repeated("line of code\n", 40) + "```\nend";
  const auto parts = slack::split(text, 300, Markup::mrkdwn);
  REQUIRE(parts.size() > 2);
  CHECK(parts[0].ends_with("line of code\n```"));
  CHECK(parts[1].starts_with("```\nline of code\n"));
  for (const std::string& part : parts) {
    CHECK(count_of(part, "```") % 2 == 0);
    CHECK(base::utf16_length(part) <= 300);
  }
  CHECK(parts.back().ends_with("```\nend"));
}

TEST_CASE("Markdown's fences keep their language, and only a line closes them") {
  const std::string text = "~~~~ python\n" + repeated("print('```')\n", 40) + "~~~~\n# end";
  const auto parts = slack::split(text, 300, Markup::markdown);
  REQUIRE(parts.size() > 2);
  CHECK(parts[0].ends_with("\n~~~~"));
  CHECK(parts[1].starts_with("~~~~ python\nprint("));
  CHECK(parts.back().ends_with("~~~~\n# end"));
  const std::string plain = "say ``` in a line\n" + repeated("text\n", 80);
  CHECK(slack::split(plain, 300, Markup::markdown)[1].starts_with("text\n"));
}

TEST_CASE("random texts: nothing lost, limits held, valid UTF-8, no open fence") {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same texts each time
  const std::vector<std::string> pieces = {
      "word ", "\n", "```", "&amp;", "<https://x.example|y>", "\xC3\xBC", "\xF0\x9F\x9A\x80",
      "<",     "&",  "`",   "~~~\n"};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    const size_t length = random() % 400;
    for (size_t i = 0; i < length; ++i) text += pieces[random() % pieces.size()];
    const auto parts = slack::split(text, 200, Markup::mrkdwn);
    std::string all;
    for (const std::string& part : parts) {
      CHECK(base::utf16_length(part) <= 200);
      CHECK_FALSE(base::first_invalid_utf8(part));
      all += part;
    }
    for (size_t i = 0; i + 1 < parts.size(); ++i) CHECK(count_of(parts[i], "```") % 2 == 0);
    const auto bare = [](const std::string& marked) {
      std::string kept;
      for (const char c : marked) {
        if (c != '\n' && c != '`' && c != ' ') kept += c;
      }
      return kept;
    };
    CHECK(bare(all) == bare(text));
  }
}

// Else a megabyte of these would take minutes.
TEST_CASE("what may begin something whole is not looked for to the end of the text every time") {
  for (const Markup markup : {Markup::mrkdwn, Markup::markdown}) {
    for (const char c : {'`', '~', '<', '&'}) {
      CAPTURE(c);
      const std::string text(300'000, c);
      CHECK(slack::split(text, 3'000, markup).size() >= 100);
    }
  }
}
