#include <doctest/doctest.h>

#include "gollum/summary.hpp"

namespace {

gollum::Digest digest_of(const gollum::Page& page, size_t count) {
  gollum::Digest digest{{"o/r", "https://h/o/r"}, {"mira", ""}, {}};
  gollum::Change change;
  change.page = page;
  digest.changes.assign(count, change);
  return digest;
}

}  // namespace

TEST_CASE("a heading, the outcome and a row a page") {
  const auto digest =
      digest_of({"Home", "Home", "why", "edited", "12ab", "https://h/o/r/wiki/Home"}, 1);
  CHECK(gollum::summary_markdown(digest, "told #ops") ==
        "### Wiki of o/r: 1 page changed by mira\n\ntold &#35;ops\n\n"
        "| Page | What | Lines | Summary | |\n|---|---|---|---|---|\n"
        "| [Home](https://h/o/r/wiki/Home) | edited |  | why | "
        "[diff](https://h/o/r/wiki/Home/_compare/12ab) |\n");
}

TEST_CASE("foreign text makes no markup, no HTML and no further cells") {
  const auto digest = digest_of(
      {"x", "a|b](javascript:x) <img> `c` @d", "l1\nl2 | **b**", "edited", "", "https://h/x)|y"},
      1);
  const std::string text = gollum::summary_markdown(digest, "");
  const std::string row = text.substr(text.rfind("| ["));
  CHECK(row ==
        "| [a&#124;b&#93;&#40;javascript&#58;x&#41; &#60;img&#62; &#96;c&#96; "
        "&#64;d](https://h/x%29%7Cy) "
        "| edited |  | l1 l2 &#124; &#42;&#42;b&#42;&#42; |  |\n");
}

TEST_CASE("below GitHub's 1 MiB whatever comes") {
  const std::string long_text(5'000, '<');
  const auto digest =
      digest_of({"x", long_text, long_text, long_text, "12ab", "https://h/x"}, 5'000);
  const std::string text = gollum::summary_markdown(digest, long_text);
  CHECK(text.size() < (1U << 20U));
  CHECK(text.find(" more\n") != std::string::npos);
}
