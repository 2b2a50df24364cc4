#include <doctest/doctest.h>

#include "base/error.hpp"
#include "gollum/event.hpp"
#include "json/read.hpp"

namespace {

gollum::Event read(const char* text) {
  return gollum::read_event(json::parse(text, "e"));
}

std::string error_of(const char* text) {
  try {
    read(text);
    return "";
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
}

constexpr const char* kRepository =
    R"("repository":{"full_name":"o/r","html_url":"https://h/o/r"})";

std::string with_repository(const std::string& pages) {
  return "{\"pages\":" + pages + "," + kRepository + "}";
}

}  // namespace

TEST_CASE("an event is read whole") {
  const gollum::Event event = read(R"({"pages":[{"page_name":"A-b","title":"A b","summary":"why",
    "action":"created","sha":"12ab","html_url":"https://h/o/r/wiki/A-b"}],
    "repository":{"full_name":"o/r","html_url":"https://h/o/r"},
    "sender":{"login":"mira","html_url":"https://h/mira"}})");
  REQUIRE(event.pages.size() == 1);
  const gollum::Page& page = event.pages.front();
  CHECK(page.page_name == "A-b");
  CHECK(page.title == "A b");
  CHECK(page.summary == "why");
  CHECK(page.action == "created");
  CHECK(page.sha == "12ab");
  CHECK(page.html_url == "https://h/o/r/wiki/A-b");
  CHECK(event.repository.full_name == "o/r");
  CHECK(event.sender.login == "mira");
  CHECK(event.sender.html_url == "https://h/mira");
}

TEST_CASE("what may be missing: summary, sha, page_name, sender") {
  const std::string text = with_repository(
      R"([{"title":"A b","summary":null,"action":"edited","html_url":"https://h/x"}])");
  const gollum::Event event = read(text.c_str());
  CHECK(event.pages.front().summary.empty());
  CHECK(event.pages.front().sha.empty());
  CHECK(event.pages.front().page_name == "A b");
  CHECK(event.sender.login.empty());
}

TEST_CASE("what may not be missing is named with its place") {
  CHECK(error_of("{}").find("no list of pages") != std::string::npos);
  CHECK(error_of(R"({"pages":[]})").find("repository.full_name is missing") != std::string::npos);
  CHECK(error_of(with_repository("[1]").c_str()).find("pages[0] is no object") !=
        std::string::npos);
  CHECK(error_of(with_repository("[{}]").c_str()).find("pages[0].title is missing") !=
        std::string::npos);
  CHECK(
      error_of(with_repository(R"([{"title":null}])").c_str()).find("pages[0].title is no text") !=
      std::string::npos);
}

TEST_CASE("a wiki event is known by its pages") {
  CHECK(gollum::is_wiki_event(json::parse(R"({"pages":[]})", "e")));
  CHECK(gollum::is_wiki_event(json::parse(R"({"pages":{}})", "e")));
  CHECK_FALSE(gollum::is_wiki_event(json::parse(R"({"pages":null})", "e")));
  CHECK_FALSE(gollum::is_wiki_event(json::parse("{}", "e")));
  CHECK_FALSE(gollum::is_wiki_event(json::parse("[]", "e")));
}
