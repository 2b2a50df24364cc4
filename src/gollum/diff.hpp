// A unified diff of the wiki's git repository, as `git show` and `git diff` print it: what changed
// in each page, and the deletions and renames of which the event says nothing.
// Source: git-diff(1), "Generating patch text with -p".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gollum {

struct FileDiff {
  enum class Kind { edited, created, deleted, renamed };

  std::string path;      // after the change; before it when the file was deleted
  std::string old_path;  // before the change
  Kind kind = Kind::edited;
  size_t added = 0;                        // lines
  size_t removed = 0;                      // lines
  std::vector<std::string> changed_lines;  // "+text" or "-text", in order, not blank, UTF-8
};

// Every file of the diff in order; the same file may come more than once (several commits). What
// stands before the first file is passed over, merges ("diff --cc") too. An empty text is an empty
// diff. Throws 65 with the line number when it is no diff or breaks off inside a hunk.
std::vector<FileDiff> read_diff(std::string_view text, const std::string& source);

// The page name of a wiki file, "dir/Test-Page.md" -> "Test-Page"; "" when it is no page by its
// ending (an image, say).
std::string page_name_of(std::string_view path);

}  // namespace gollum
