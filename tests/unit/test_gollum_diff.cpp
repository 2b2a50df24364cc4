#include <doctest/doctest.h>

#include "base/error.hpp"
#include "gollum/diff.hpp"

using gollum::FileDiff;
using Lines = std::vector<std::string>;

namespace {

std::vector<FileDiff> read(const std::string& text) {
  return gollum::read_diff(text, "wiki.diff");
}

std::string error_of(const std::string& text) {
  try {
    read(text);
    return "";
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
}

}  // namespace

TEST_CASE("edited, created, deleted and renamed files, behind a commit's head") {
  const auto files = read(
      "commit 12ab\nAuthor: x <x@y>\n\n    diff of the day\n\n"
      "diff --git a/Home.md b/Home.md\nindex 1..2 100644\n--- a/Home.md\n+++ b/Home.md\n"
      "@@ -1,2 +1,3 @@ Top\n same\n-old\n+new\n+\n"
      "diff --git a/New.md b/New.md\nnew file mode 100644\n--- /dev/null\n+++ b/New.md\n"
      "@@ -0,0 +1 @@\n+text\n\\ No newline at end of file\n"
      "diff --git a/Gone.md b/Gone.md\ndeleted file mode 100644\n--- a/Gone.md\n+++ /dev/null\n"
      "@@ -1 +0,0 @@\n-text\n"
      "diff --git a/Old.md b/dir/Moved.md\nsimilarity index 100%\nrename from Old.md\n"
      "rename to dir/Moved.md\n"
      "diff --git a/pic.png b/pic.png\nBinary files a/pic.png and b/pic.png differ\n");
  REQUIRE(files.size() == 5);
  CHECK(files[0].path == "Home.md");
  CHECK(files[0].kind == FileDiff::Kind::edited);
  CHECK(files[0].added == 2);
  CHECK(files[0].removed == 1);
  CHECK(files[0].changed_lines == Lines{"-old", "+new"});
  CHECK(files[1].kind == FileDiff::Kind::created);
  CHECK(files[1].path == "New.md");
  CHECK(files[1].added == 1);
  CHECK(files[2].kind == FileDiff::Kind::deleted);
  CHECK(files[2].path == "Gone.md");
  CHECK(files[2].removed == 1);
  CHECK(files[3].kind == FileDiff::Kind::renamed);
  CHECK(files[3].path == "dir/Moved.md");
  CHECK(files[3].old_path == "Old.md");
  CHECK(files[4].path == "pic.png");
}

TEST_CASE("content that looks like a header stays content") {
  const auto files = read(
      "diff --git a/A.md b/A.md\n--- a/A.md\n+++ b/A.md\n@@ -1,2 +1,2 @@\n"
      "--- a/fake\n-diff --git a/x b/x\n+++ b/fake\n+@@ -1 +1 @@\n");
  REQUIRE(files.size() == 1);
  CHECK(files[0].path == "A.md");
  CHECK(files[0].added == 2);
  CHECK(files[0].removed == 2);
}

TEST_CASE("a commit message between two files forges nothing") {
  const auto files = read(
      "diff --git a/A.md b/A.md\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n@@ -9 +9 "
      "@@\n-c\n+d\n"
      "From 12ab\nrename from Home.md\nrename to Payroll.md\ndeleted file mode 100644\n@@ -1 +0,0 "
      "@@\n-x\n");
  REQUIRE(files.size() == 1);
  CHECK(files[0].kind == FileDiff::Kind::edited);
  CHECK(files[0].path == "A.md");
  CHECK(files[0].removed == 2);
}

TEST_CASE("colour codes are named") {
  CHECK(error_of("\x1b[1mdiff --git a/A b/A\x1b[m\n").find("--no-color") != std::string::npos);
}

TEST_CASE("names: quoted bytes, spaces, no prefix change, CRLF") {
  CHECK(read("diff --git \"a/\\303\\234ber \\\"x\\\".md\" \"b/\\303\\234ber \\\"x\\\".md\"\n")
            .at(0)
            .path == "Über \"x\".md");
  CHECK(read("diff --git a/Two words.md b/Two words.md\n").at(0).path == "Two words.md");
  CHECK(read("diff --git a/A.md b/A.md\r\n--- a/A.md\r\n+++ b/A.md\r\n@@ -1 +1 @@\r\n-x\r\n+y\r\n")
            .at(0)
            .changed_lines == Lines{"-x", "+y"});
}

TEST_CASE("an empty diff is one, a merge is passed over, blank context may lose its space") {
  CHECK(read("").empty());
  CHECK(read("\n\n").empty());
  CHECK(read("commit 1\n\ndiff --cc A.md\nindex 1,2..3\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n")
            .empty());
  CHECK(read("diff --git a/A b/A\n@@ -1,2 +1,2 @@\n\n-a\n+b\n").at(0).added == 1);
}

TEST_CASE("invalid UTF-8 in a changed line is repaired") {
  CHECK(read("diff --git a/A.md b/A.md\n@@ -0,0 +1 @@\n+\xff\n").at(0).changed_lines ==
        Lines{"+\xEF\xBF\xBD"});
}

TEST_CASE("what is no diff is refused with the line") {
  CHECK(error_of("hello\n").find("wiki.diff: line 1: no diff as git prints it") == 0);
  CHECK(error_of("<html>").find("line 1") != std::string::npos);
  CHECK(error_of("diff --git a/A b/A\n@@ -1,9 +1 @@\n-a\n").find("line 2: the diff ends inside") !=
        std::string::npos);
  CHECK(error_of("diff --git a/A b/A\n@@ -x +y @@\n").find("line 2: a hunk header") !=
        std::string::npos);
  CHECK(error_of("diff --git a/A b/A\n@@ -1 +1 @@\nxyz\n").find("line 3: not a line") !=
        std::string::npos);
  CHECK(error_of("diff --git a/A b/A\n@@ -1 +1 @@\n+a\n+b\n-c\n").find("line 4: not a line") !=
        std::string::npos);
  CHECK(error_of("diff --git a/A b/A\n@@ -1,99999999999999999999 +1 @@\n").find("a hunk header") !=
        std::string::npos);
}

TEST_CASE("page names of wiki files") {
  struct Row {
    std::string path;
    std::string name;
  };
  const Row rows[] = {{"Home.md", "Home"}, {"dir/sub/Test-Page.markdown", "Test-Page"},
                      {"v1.2.MD", "v1.2"}, {"_Sidebar.asciidoc", "_Sidebar"},
                      {"pic.png", ""},     {"LICENSE", ""},
                      {".md", ""},         {"", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(gollum::page_name_of(row.path) == row.name);
  }
}
