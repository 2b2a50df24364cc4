// The digest: everything that is told of one wiki event, from the event and, if there is one, the
// diff.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gollum/diff.hpp"
#include "gollum/event.hpp"
#include "json/value.hpp"

namespace gollum {

struct Change {
  Page page;
  std::string old_name;  // title before a rename; "" without one
  bool has_diff = false;
  size_t added = 0;                  // lines
  size_t removed = 0;                // lines
  std::vector<std::string> excerpt;  // "+text" or "-text"
};

struct Digest {
  Repository repository;
  Person sender;
  std::vector<Change> changes;  // the event's pages in its order, then deletions and renames
};

// Joins the two by page name; a page that several commits of the diff touch gets the sum. The
// excerpt has at most excerpt_lines lines a page.
Digest make_digest(const Event& event, const std::vector<FileDiff>& diff, size_t excerpt_lines);

// The changes as a JSON array, as many as fit max_bytes, for the steps that come after.
json::Value to_json(const Digest& digest, size_t max_bytes);

// False without a diff, and where the lines did not change (a mere rename, a binary file).
bool has_counts(const Change& change);

// "3 pages", "1 page".
std::string page_count(size_t pages);

// The page's addresses; "" when it has none.
std::string diff_url(const Page& page);
std::string history_url(const Page& page);
std::string wiki_url(const Repository& repository);
std::string wiki_history_url(const Repository& repository);

}  // namespace gollum
