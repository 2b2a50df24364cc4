#include <doctest/doctest.h>

#include "base/error.hpp"
#include "gollum/filter.hpp"

namespace {

gollum::Digest digest_of(const std::vector<std::string>& titles) {
  gollum::Digest digest{{"o/r", "https://h/o/r"}, {"mira", ""}, {}};
  for (const std::string& title : titles) {
    gollum::Change change;
    change.page = {title, title, "", "edited", "", ""};
    digest.changes.push_back(change);
  }
  return digest;
}

std::vector<std::string> titles_of(const gollum::Digest& digest) {
  std::vector<std::string> titles;
  for (const auto& change : digest.changes) titles.push_back(change.page.title);
  return titles;
}

// True when a page of that title passes the filter --pages PATTERN.
bool matches(const std::string& pattern, const std::string& title) {
  return !filtered(digest_of({title}), {{pattern}, {}, {}, {}, {}}).changes.empty();
}

}  // namespace

TEST_CASE("patterns") {
  struct Row {
    std::string pattern;
    std::string text;
    bool matches;
  };
  const Row rows[] = {
      {"Home", "home", true},
      {"Home", "Homes", false},
      {"*", "", true},
      {"", "", true},
      {"", "x", false},
      {"*", "anything/at all", true},
      {"run*", "Runbooks/DB", true},
      {"*book*", "Runbooks", true},
      {"*a*b*c", "xaybzc", true},
      {"*a*b*c", "xaybz", false},
      {"*aab", "aaab", true},
      {"?", "é", true},
      {"??", "é", false},
      {"ÜBER*", "über uns", true},
      {"straße", "STRASSE", true},
      {"e\xCC\x81t\xC3\xA9", "\xC3\x89TE\xCC\x81", true},  // accents typed in two ways
      {"ПЛАН", "план", true},
      {"*[bot]", "dependabot[bot]", true},
      {"[ab]", "a", false},
      {"a.c", "abc", false},
      {"\xff", "\xff", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(matches(row.pattern, row.text) == row.matches);
  }
}

TEST_CASE("a pattern of many stars costs no exponential time") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK_FALSE(matches(pattern + "b", std::string(5'000, 'a')));
}

TEST_CASE("filters: all of them must let a page through") {
  const auto digest = digest_of({"Home", "Runbook DB", "Runbook old", "Notes"});
  gollum::Filters filters;
  CHECK(titles_of(filtered(digest, filters)).size() == 4);
  filters.pages = {"runbook*", "home"};
  filters.ignore_pages = {"*OLD"};
  CHECK(titles_of(filtered(digest, filters)) == std::vector<std::string>{"Home", "Runbook DB"});
  filters.titles = {"HOME", "Notes"};
  CHECK(titles_of(filtered(digest, filters)) == std::vector<std::string>{"Home"});
  filters.actions = {"Created"};
  CHECK(titles_of(filtered(digest, filters)).empty());
  filters = {};
  filters.ignore_authors = {"MIRA"};
  CHECK(titles_of(filtered(digest, filters)).empty());
}

TEST_CASE("a renamed page is found by its old name too") {
  auto digest = digest_of({"New"});
  digest.changes[0].old_name = "Old";
  CHECK(titles_of(filtered(digest, {{"old"}, {}, {}, {}, {}})).size() == 1);
  CHECK(titles_of(filtered(digest, {{}, {"old"}, {}, {}, {}})).empty());
}

TEST_CASE("routes are read, the last = divides") {
  CHECK(gollum::read_route("a=b* = #ops").pattern == "a=b*");
  CHECK(gollum::read_route("a=b* = #ops").channel == "#ops");
  for (const std::string text : {"", "a", "=", "a=", "=#ops", " = "}) {
    CAPTURE(text);
    CHECK_THROWS_AS(gollum::read_route(text), base::Error);
  }
}

TEST_CASE("one digest a channel; the first route that fits wins; the rest goes to the others") {
  const auto digest = digest_of({"A1", "B1", "A2", "C1"});
  const auto digests =
      gollum::routed(digest, {{"a*", "#a"}, {"*1", "#one"}, {"a2", "#never"}}, {"#x"});
  REQUIRE(digests.size() == 2);
  CHECK(digests[0].channel == "#a");
  CHECK(titles_of(digests[0].digest) == std::vector<std::string>{"A1", "A2"});
  CHECK(digests[1].channel == "#one");
  CHECK(titles_of(digests[1].digest) == std::vector<std::string>{"B1", "C1"});
  CHECK(digests[1].digest.repository.full_name == "o/r");
  CHECK(gollum::routed(digest, {}, {"#x", "#y"}).size() == 2);
  CHECK(gollum::routed(digest, {{"z", "#z"}}, {}).empty());
}
