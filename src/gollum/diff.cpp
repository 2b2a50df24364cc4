#include "gollum/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace gollum {

namespace {

constexpr size_t kMostLinesKept = 200;  // of changed_lines, per file

// The endings of the markups that GitHub's wiki renders (github/markup).
constexpr std::string_view kPageEndings[] = {
    "md",  "markdown",  "mdown", "mkdn", "mkd",  "asciidoc", "adoc", "asc",  "creole",
    "org", "mediawiki", "wiki",  "pod",  "rdoc", "textile",  "rst",  "rest", "txt"};

// C-style quoting of names with unusual bytes: "a/\303\234ber.md".
std::string unquote(std::string_view name) {
  if (name.size() < 2 || name.front() != '"' || name.back() != '"') return std::string(name);
  const std::string_view inside = name.substr(1, name.size() - 2);
  std::string plain;
  for (size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] != '\\' || at + 1 == inside.size()) {
      plain += inside[at];
      continue;
    }
    const char next = inside[++at];
    unsigned octal = 0;
    const auto digits =
        std::from_chars(&inside[at], inside.data() + std::min(at + 3, inside.size()), octal, 8);
    if (digits.ec == std::errc()) {
      plain += static_cast<char>(octal);
      at += static_cast<size_t>(digits.ptr - &inside[at]) - 1;
    } else {
      plain += next == 't' ? '\t' : next == 'n' ? '\n' : next;
    }
  }
  return plain;
}

// The path behind "--- ", "+++ ", "rename from "; without git's "a/" or "b/".
std::string path_of(std::string_view name, bool has_prefix) {
  const size_t tab = name.find('\t');  // some diffs put a time stamp behind it
  const std::string path = unquote(name.substr(0, tab));
  return has_prefix && path.size() > 2 && path[1] == '/' ? path.substr(2) : path;
}

struct HunkSize {
  size_t old_lines = 1;
  size_t new_lines = 1;
};

// "-12,3" or "-12": the number of lines, 1 when it is left out.
bool read_range(std::string_view range, char sign, size_t& lines) {
  if (range.empty() || range.front() != sign) return false;
  const size_t comma = range.find(',');
  size_t first_line = 0;
  if (!base::read_number(range.substr(1, comma - 1), first_line)) return false;
  return comma == std::string_view::npos || base::read_number(range.substr(comma + 1), lines);
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& source)
      : whole_(text), rest_(text), source_(source) {}

  std::vector<FileDiff> read() {
    std::string_view line;
    while (next(line)) {
      if (line.starts_with("diff ")) {
        start_file(line);
      } else if (line.starts_with("@@ ") && place_ != Place::between_files) {
        read_hunk(line);
        place_ = Place::behind_hunk;
      } else if (place_ == Place::in_header) {
        read_header(line);
      } else if (!line.starts_with('\\')) {
        place_ = Place::between_files;  // a commit's message, say
      }
    }
    if (files_.empty() && !only_space_ && !saw_merge_) fail(1, no_diff());
    return std::move(files_);
  }

 private:
  enum class Place { between_files, in_header, behind_hunk };

  std::string no_diff() const {
    const bool coloured = whole_.find("\x1b[") != std::string_view::npos;
    return coloured ? "this diff has colour codes; make it with git's --no-color"
                    : "no diff as git prints it (git log -p, git show, git diff)";
  }

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++line_number_;
    only_space_ = only_space_ && base::trim(line).empty();
    return true;
  }

  [[noreturn]] void fail(size_t line, const std::string& why) const {
    throw base::Error(base::exit_bad_input, fmt::format("{}: line {}: {}", source_, line, why));
  }

  void start_file(std::string_view line) {
    const bool is_file = line.starts_with("diff --git ");
    place_ = is_file ? Place::in_header : Place::between_files;
    const bool is_merge = line.starts_with("diff --cc ") || line.starts_with("diff --combined ");
    saw_merge_ = saw_merge_ || is_merge;
    if (!is_file) return;
    FileDiff file;
    // Without a rename both names are alike, so the second half is the path: "a/X b/X".
    const std::string_view names = line.substr(11);
    if (names.size() > 5) file.path = path_of(names.substr(names.size() / 2 + 1), true);
    file.old_path = file.path;
    files_.push_back(std::move(file));
  }

  void read_header(std::string_view line) {
    FileDiff& file = files_.back();
    if (line.starts_with("new file mode")) file.kind = FileDiff::Kind::created;
    if (line.starts_with("deleted file mode")) file.kind = FileDiff::Kind::deleted;
    if (line.starts_with("rename to ")) file.kind = FileDiff::Kind::renamed;
    if (line.starts_with("rename from ")) file.old_path = path_of(line.substr(12), false);
    if (line.starts_with("rename to ")) file.path = path_of(line.substr(10), false);
    if (line.starts_with("--- ") && line != "--- /dev/null")
      file.old_path = path_of(line.substr(4), true);
    if (line.starts_with("+++ ") && line != "+++ /dev/null")
      file.path = path_of(line.substr(4), true);
  }

  void read_hunk(std::string_view line) {
    const std::vector<std::string> words = base::split(line, ' ');
    HunkSize left;
    const bool is_header = words.size() >= 4 && read_range(words[1], '-', left.old_lines) &&
                           read_range(words[2], '+', left.new_lines);
    if (!is_header) fail(line_number_, "a hunk header that is none");
    const size_t hunk_line = line_number_;
    while (left.old_lines > 0 || left.new_lines > 0) {
      std::string_view content;
      if (!next(content)) fail(hunk_line, "the diff ends inside this hunk");
      take_line(content, left);
    }
  }

  void take_line(std::string_view content, HunkSize& left) {
    const char sign = content.empty() ? ' ' : content.front();
    if (sign == '\\') return;  // "\ No newline at end of file"
    const bool is_old = sign != '+';
    const bool is_new = sign != '-';
    const bool fits = (!is_old || left.old_lines > 0) && (!is_new || left.new_lines > 0);
    if (!fits || (sign != ' ' && sign != '+' && sign != '-')) {
      fail(line_number_, "not a line of the hunk it stands in");
    }
    left.old_lines -= is_old ? 1 : 0;
    left.new_lines -= is_new ? 1 : 0;
    FileDiff& file = files_.back();
    if (sign == '+') ++file.added;
    if (sign == '-') ++file.removed;
    const bool worth_keeping = sign != ' ' && !base::trim(content.substr(1)).empty();
    if (worth_keeping && file.changed_lines.size() < kMostLinesKept) {
      file.changed_lines.push_back(base::repair_utf8(content));
    }
  }

  std::string_view whole_;
  std::string_view rest_;
  const std::string& source_;
  std::vector<FileDiff> files_;
  size_t line_number_ = 0;
  Place place_ = Place::between_files;
  bool only_space_ = true;
  bool saw_merge_ = false;
};

}  // namespace

std::vector<FileDiff> read_diff(std::string_view text, const std::string& source) {
  return Reader(text, source).read();
}

std::string page_name_of(std::string_view path) {
  const std::string_view file = path.substr(path.rfind('/') + 1);  // npos + 1 == 0
  const size_t dot = file.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return "";
  const std::string ending = base::lower_ascii(file.substr(dot + 1));
  const bool is_page =
      std::find(std::begin(kPageEndings), std::end(kPageEndings), ending) != std::end(kPageEndings);
  return is_page ? base::repair_utf8(file.substr(0, dot)) : "";
}

}  // namespace gollum
