#include <doctest/doctest.h>

#include "base/utf8.hpp"
#include "gollum/message.hpp"

namespace {

gollum::Change change_of(const std::string& title) {
  gollum::Change change;
  change.page = {title, title, "", "edited", "12ab", "https://h/o/r/wiki/" + title};
  return change;
}

gollum::Digest digest_of(std::vector<gollum::Change> changes) {
  return {{"o/r", "https://h/o/r"}, {"mira", "https://h/mira"}, std::move(changes)};
}

size_t units_of(const slack::Message& message) {
  size_t units = 0;
  for (const auto& block : message.blocks) units += base::utf16_length(block.text);
  return units;
}

void check_limits(const slack::Message& message) {
  CHECK(base::utf16_length(message.text) <= slack::kMaxText);
  CHECK(message.blocks.size() <= slack::kMaxBlocks);
  CHECK(units_of(message) <= slack::kMaxTextOfAllBlocks);
  for (const auto& block : message.blocks) {
    CHECK(base::utf16_length(block.text) <= slack::kMaxSectionText);
    CHECK_FALSE(block.text.empty());
  }
}

}  // namespace

TEST_CASE("head and page, to the letter") {
  gollum::Change change = change_of("Home");
  change.page.summary = "fix <b>";
  change.has_diff = true;
  change.added = 2;
  change.excerpt = {"+a < b", "+`x`"};
  const auto message = gollum::make_message(digest_of({change}), {});
  REQUIRE(message.blocks.size() == 2);
  CHECK(message.blocks[0].text ==
        "<https://h/o/r/wiki|o/r> wiki: 1 page changed by <https://h/mira|mira>");
  CHECK(message.blocks[1].text ==
        "*<https://h/o/r/wiki/Home|Home>* edited +2/-0 · "
        "<https://h/o/r/wiki/Home/_compare/12ab|diff> · "
        "<https://h/o/r/wiki/Home/_history|history>\n> fix &lt;b&gt;\n```\n+a &lt; b\n+ˋxˋ\n```");
  CHECK(message.text == "o/r wiki: 1 page changed by mira: Home (edited)");
}

TEST_CASE("prefix and mention stand as they are; nobody is nobody") {
  auto digest = digest_of({change_of("Home")});
  const auto message = gollum::make_message(digest, {"*News* <!here>", "<@U1>"});
  CHECK(message.blocks[0].text == "*News* <!here>");
  CHECK(message.blocks[1].text.ends_with("changed by <@U1>"));
  CHECK(message.text.starts_with("*News* <!here>\n"));
  digest.sender = {};
  CHECK(gollum::make_message(digest, {}).blocks[0].text.ends_with("1 page changed"));
}

TEST_CASE("a page without a title or an address") {
  gollum::Change change = change_of(" \n ");
  change.page.html_url = "";
  CHECK(gollum::make_message(digest_of({change}), {}).blocks[1].text == "*(no title)* edited");
}

TEST_CASE("renamed") {
  gollum::Change change = change_of("New");
  change.old_name = "Old <x>";
  CHECK(gollum::make_message(digest_of({change}), {})
            .blocks[1]
            .text.find("edited, renamed from Old &lt;x&gt; ·") != std::string::npos);
  change.page.action = "renamed";
  CHECK(gollum::make_message(digest_of({change}), {})
            .blocks[1]
            .text.find("renamed from Old &lt;x&gt; ·") != std::string::npos);
}

TEST_CASE("addresses as long as a link may be stay within Slack's limits") {
  const std::string url = "https://h/" + std::string(1'490, 'a');
  auto digest = digest_of({change_of("Home")});
  digest.repository = {std::string(300, '&'), url.substr(0, 1'495)};
  digest.sender = {std::string(300, '&'), url};
  digest.changes[0].page.html_url = url.substr(0, 1'480);
  const auto message = gollum::make_message(digest, {std::string(gollum::kMaxPrefix, 'p'), ""});
  check_limits(message);
  CHECK(message.blocks[1].text.find("<https") == std::string::npos);
  CHECK(message.blocks[2].text.starts_with("*<https"));
}

TEST_CASE("any number of pages stays within Slack's limits, and the rest is counted") {
  for (const size_t count :
       {size_t{1}, size_t{10}, size_t{47}, size_t{48}, size_t{49}, size_t{5'000}}) {
    CAPTURE(count);
    const auto message = gollum::make_message(
        digest_of(std::vector<gollum::Change>(count, change_of("P"))), {"prefix", ""});
    check_limits(message);
    const bool all = message.blocks.size() == count + 2;
    const std::string more =
        "and " + std::to_string(count - (message.blocks.size() - 3)) + " more: <";
    CHECK((all || message.blocks.back().text.starts_with(more)));
  }
}

TEST_CASE("texts of any length and kind stay within Slack's limits") {
  const std::string units[] = {"x", "&", "<", "é", "😀", "\xff", "`", "\n", "```\n", "*"};
  for (const std::string& unit : units) {
    CAPTURE(unit);
    std::string text;
    while (text.size() < 4'000) text += unit;
    gollum::Change change = change_of("A");
    change.page.title = change.page.summary = change.page.action = change.old_name = text;
    change.page.html_url = "https://h/" + text.substr(0, 1'000);
    change.has_diff = true;
    change.excerpt = std::vector<std::string>(50, "+" + text);
    auto digest = digest_of({change, change, change, change, change, change});
    digest.sender = {text, "https://h/" + text};
    digest.repository = {text, "https://h/" + text};
    const auto message = gollum::make_message(digest, {std::string(gollum::kMaxPrefix, 'p'), ""});
    check_limits(message);
    for (const auto& block : message.blocks) {
      CHECK_FALSE(base::first_invalid_utf8(block.text));
      size_t fences = 0;
      for (size_t at = 0; (at = block.text.find("```", at)) != std::string::npos; at += 3) ++fences;
      CHECK(fences % 2 == 0);
    }
  }
}
