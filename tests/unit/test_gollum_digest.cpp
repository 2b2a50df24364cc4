#include <doctest/doctest.h>

#include "gollum/digest.hpp"
#include "json/write.hpp"

using gollum::FileDiff;

namespace {

gollum::Event event_of(std::vector<gollum::Page> pages) {
  return {std::move(pages), {"o/r", "https://h/o/r"}, {"mira", "https://h/mira"}};
}

gollum::Page page(const std::string& name) {
  return {name, name, "", "edited", "12ab", "https://h/o/r/wiki/" + name};
}

FileDiff file(const std::string& path, FileDiff::Kind kind, size_t added, size_t removed) {
  return {path, path, kind, added, removed, {"-a", "+b", "+c"}};
}

}  // namespace

TEST_CASE("the diff adds counts and an excerpt to the pages of the event") {
  const auto digest = gollum::make_digest(event_of({page("Home"), page("Other")}),
                                          {file("Home.md", FileDiff::Kind::edited, 2, 1),
                                           file("sub/Home.md", FileDiff::Kind::edited, 3, 0)},
                                          4);
  REQUIRE(digest.changes.size() == 2);
  CHECK(digest.changes[0].has_diff);
  CHECK(digest.changes[0].added == 5);
  CHECK(digest.changes[0].removed == 1);
  CHECK(digest.changes[0].excerpt == std::vector<std::string>{"-a", "+b", "+c", "-a"});
  CHECK_FALSE(digest.changes[1].has_diff);
}

TEST_CASE("deletions and renames are told though the event is silent; other files are not") {
  FileDiff renamed = file("New-name.md", FileDiff::Kind::renamed, 0, 0);
  renamed.old_path = "Old-name.md";
  const auto digest = gollum::make_digest(event_of({page("Home")}),
                                          {file("Gone.md", FileDiff::Kind::deleted, 0, 9), renamed,
                                           file("Unrelated.md", FileDiff::Kind::edited, 1, 1),
                                           file("pic.png", FileDiff::Kind::deleted, 0, 0)},
                                          0);
  REQUIRE(digest.changes.size() == 3);
  CHECK(digest.changes[1].page.action == "deleted");
  CHECK(digest.changes[1].page.title == "Gone");
  CHECK(digest.changes[1].page.html_url.empty());
  CHECK(digest.changes[1].excerpt.empty());
  CHECK(digest.changes[2].page.action == "renamed");
  CHECK(digest.changes[2].page.title == "New name");
  CHECK(digest.changes[2].page.html_url == "https://h/o/r/wiki/New-name");
  CHECK(digest.changes[2].old_name == "Old name");
}

TEST_CASE("a renamed page that the event calls edited is told once") {
  FileDiff renamed = file("Home.md", FileDiff::Kind::renamed, 1, 1);
  renamed.old_path = "Start.md";
  const auto digest = gollum::make_digest(event_of({page("Home")}), {renamed}, 0);
  REQUIRE(digest.changes.size() == 1);
  CHECK(digest.changes[0].page.action == "edited");
  CHECK(digest.changes[0].old_name == "Start");
}

TEST_CASE("a page that the event calls edited and the diff deletes is deleted") {
  const auto digest = gollum::make_digest(event_of({page("Home")}),
                                          {file("Home.md", FileDiff::Kind::deleted, 0, 3)}, 0);
  REQUIRE(digest.changes.size() == 1);
  CHECK(digest.changes[0].page.action == "deleted");
  CHECK(digest.changes[0].page.html_url.empty());
}

TEST_CASE("addresses of a page") {
  CHECK(gollum::diff_url(page("Home")) == "https://h/o/r/wiki/Home/_compare/12ab");
  CHECK(gollum::history_url(page("Home")) == "https://h/o/r/wiki/Home/_history");
  CHECK(gollum::diff_url({"x", "x", "", "edited", "", "https://h/x"}).empty());
  CHECK(gollum::history_url({}).empty());
}

TEST_CASE("the JSON for later steps stays below its size") {
  const auto digest = gollum::make_digest(event_of({page("A"), page("B"), page("C")}), {}, 0);
  const std::string whole = json::write(gollum::to_json(digest, 10'000));
  CHECK(json::as_array(&static_cast<const json::Value&>(gollum::to_json(digest, 10'000)))->size() ==
        3);
  const json::Value cut = gollum::to_json(digest, whole.size() - 1);
  CHECK(json::as_array(&cut)->size() == 2);
  CHECK(json::write(cut).size() < whole.size());
}
