#include <doctest/doctest.h>
#include <re2/re2.h>

#include <string>
#include <vector>

#include "slack/captures.hpp"

namespace {

using Texts = std::vector<std::string>;

std::string as_it_is(std::string_view text) {
  return std::string(text);
}

std::string in_brackets(std::string_view text) {
  return "[" + std::string(text) + "]";
}

// What the expression captured, as "name=text" in the names' order; "no" when nothing matched.
std::string captured(const std::string& pattern, const std::string& text) {
  slack::Captures captures;
  if (!slack::find_captures(re2::RE2(pattern), text, captures)) return "no";
  std::string all;
  for (const auto& [name, value] : captures) all.append(name).append("=").append(value).append(";");
  return all;
}

}  // namespace

TEST_CASE("an expression captures by number and by name") {
  struct {
    std::string pattern;
    std::string text;
    std::string captured;
  } const rows[] = {
      {"b", "abc", "0=b;"},
      {"^b", "abc", "no"},
      {"", "", "0=;"},
      {"", "abc", "0=;"},
      {"x", "", "no"},
      {"(a)(b)?(c)?", "a", "0=a;1=a;2=;3=;"},
      {"(?P<what>\\w+) (\\w+)", "web prod", "0=web prod;1=web;2=prod;what=web;"},
      {"(?:a)(b*)", "a", "0=a;1=;"},
      {"(a|(?P<other>b))", "a", "0=a;1=a;2=;other=;"},
      {"^(.*)$", "one\ntwo", "no"},
      {"(?s)^(.*)$", "one\ntwo", "0=one\ntwo;1=one\ntwo;"},
      {"^one$", "one\n", "no"},
      {"(.)", "\xC3\xA4", "0=\xC3\xA4;1=\xC3\xA4;"},
      {"^(.)$", "\xFF", "no"},
      {"(\\pL+)", "1\xD0\x9F\xD0\xBB", "0=\xD0\x9F\xD0\xBB;1=\xD0\x9F\xD0\xBB;"},
      {"(a+)+$", std::string(50, 'a') + "b", "no"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(captured(row.pattern, row.text) == row.captured);
  }
}

TEST_CASE("the names that an expression captures") {
  CHECK(slack::capture_names(re2::RE2("a")) == Texts{"0"});
  CHECK(slack::capture_names(re2::RE2("(a)(?P<b>b)(?:c)")) == Texts{"0", "1", "2", "b"});
}

TEST_CASE("templates: what stands for captures, and what does not") {
  struct {
    std::string text;
    Texts names;
    std::string filled;
  } const rows[] = {
      {"", {}, ""},
      {"plain", {}, "plain"},
      {"$1", {"1"}, "[one]"},
      {"a$1b$2c", {"1", "2"}, "a[one]b[]c"},
      {"$1$1", {"1", "1"}, "[one][one]"},
      {"${1}0", {"1"}, "[one]0"},
      {"$10", {"10"}, "[ten]"},
      {"$01", {"01"}, ""},
      {"${what}", {"what"}, "[web]"},
      {"${what}er", {"what"}, "[web]er"},
      {"$what", {}, "$what"},
      {"$", {}, "$"},
      {"$$", {}, "$"},
      {"$$1", {}, "$1"},
      {"$$$1", {"1"}, "$[one]"},
      {"$$$$1", {}, "$$1"},
      {"$${what}", {}, "${what}"},
      {"5$", {}, "5$"},
      {"$ 1", {}, "$ 1"},
      {"$-1", {}, "$-1"},
      {"${", {}, "${"},
      {"${1", {}, "${1"},
      {"${}", {""}, ""},
      {"${ what }", {" what "}, ""},
      {"${none}", {"none"}, ""},
      {"$9", {"9"}, ""},
      {"${a${1}", {"a${1"}, ""},
      {"{$1}", {"1"}, "{[one]}"},
      {"\xC3\xA4$1\xC3\xA4", {"1"}, "\xC3\xA4[one]\xC3\xA4"},
      {std::string("\0$1", 3), {"1"}, std::string("\0[one]", 6)},
  };
  const slack::Captures captures{{"1", "one"}, {"2", ""}, {"10", "ten"}, {"what", "web"}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(slack::captures_in(row.text) == row.names);
    CHECK(slack::filled(row.text, captures, in_brackets) == row.filled);
  }
}

TEST_CASE("what was captured is not read as a template again") {
  const slack::Captures captures{{"1", "$2 ${what} $$"}, {"2", "secret"}, {"what", "secret"}};
  CHECK(slack::filled("$1", captures, as_it_is) == "$2 ${what} $$");
}

TEST_CASE("a long template of dollars is read in one go") {
  CHECK(slack::filled(std::string(200'000, '$'), {}, as_it_is) == std::string(100'000, '$'));
}
