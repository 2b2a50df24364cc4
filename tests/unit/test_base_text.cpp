#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/text.hpp"

namespace {

using List = std::vector<std::string>;

// For a readable comparison: an item is "[item]".
std::string shown(const List& items) {
  std::string text;
  for (const std::string& item : items) text += "[" + item + "]";
  return text;
}

}  // namespace

TEST_CASE("trim takes white space off both ends only") {
  struct {
    std::string text;
    std::string trimmed;
  } const rows[] = {
      {"", ""},
      {" ", ""},
      {" \t\r\n\v\f", ""},
      {"a", "a"},
      {" a", "a"},
      {"a\r\n", "a"},
      {"\t a \n b \v", "a \n b"},
      {"\xC2\xA0"
       "a",
       "\xC2\xA0"
       "a"},  // a no-break space is no ASCII
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(base::trim(row.text) == row.trimmed);
  }
}

TEST_CASE("lower_ascii changes A to Z and nothing else") {
  CHECK(base::lower_ascii("") == "");
  CHECK(base::lower_ascii("@AMZ[`az{ 09") == "@amz[`az{ 09");
  CHECK(base::lower_ascii("\xC3\x84\xC3\xB6") == "\xC3\x84\xC3\xB6");  // Ä ö
}

TEST_CASE("split keeps empty parts and join undoes it") {
  struct {
    std::string text;
    std::string parts;
  } const rows[] = {
      {"", "[]"},       {",", "[][]"}, {"a", "[a]"}, {"a,b", "[a][b]"}, {",a,,b,", "[][a][][b][]"},
      {"a b", "[a b]"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(shown(base::split(row.text, ',')) == row.parts);
    CHECK(base::join(base::split(row.text, ','), ",") == row.text);
  }
}

TEST_CASE("split_list understands what people write into a list") {
  struct {
    std::string text;
    std::string items;
  } const rows[] = {
      {"", ""},
      {" ,\n , \r\n", ""},
      {"a", "[a]"},
      {"a,b", "[a][b]"},
      {" a , b ", "[a][b]"},
      {"a\nb\n", "[a][b]"},
      {"a\r\nb\r\n", "[a][b]"},
      {"a, b\n\n  c,,\n", "[a][b][c]"},
      {"two words, x", "[two words][x]"},
      {"b,a,b", "[b][a][b]"},  // order and repetition are the caller's
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(shown(base::split_list(row.text)) == row.items);
  }
}

TEST_CASE("join puts the separator between parts only") {
  CHECK(base::join({}, ", ") == "");
  CHECK(base::join({"a"}, ", ") == "a");
  CHECK(base::join({"a", "", "b"}, ", ") == "a, , b");
  CHECK(base::join({"a", "b"}, "") == "ab");
}

TEST_CASE("replace_all replaces from left to right and never its own work") {
  struct {
    std::string text;
    std::string from;
    std::string to;
    std::string result;
  } const rows[] = {
      {"", "a", "b", ""},
      {"abc", "x", "y", "abc"},
      {"aaa", "a", "bb", "bbbbbb"},
      {"aaa", "aa", "b", "ba"},
      {"a&b", "&", "&amp;", "a&amp;b"},
      {"xax", "x", "", "a"},
      {"%%25", "%", "%25", "%25%2525"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CAPTURE(row.from);
    CHECK(base::replace_all(row.text, row.from, row.to) == row.result);
  }
}

TEST_CASE("nearest finds what a typing error meant") {
  const List commands = {"slack-post", "slack-rich-post", "gollum-notify", "version", "help"};
  const List options = {"--output", "--dry-run", "--channel", "--channel-id", "--help"};
  struct {
    std::string what;
    const List& candidates;
    std::string typed;
    std::string meant;
  } const rows[] = {
      {"exact", commands, "version", "version"},
      {"a letter too few", commands, "slak-post", "slack-post"},
      {"a letter too many", commands, "slack-posts", "slack-post"},
      {"a wrong letter", commands, "slack_post", "slack-post"},
      {"two letters swapped", commands, "verison", "version"},
      {"a doubled letter forgotten", commands, "golum-notfy", "gollum-notify"},
      {"swapped in a short word", commands, "hepl", "help"},
      {"first letter wrong", commands, "belp", "help"},
      {"last letter missing", commands, "hel", "help"},
      {"hyphen forgotten", options, "--dryrun", "--dry-run"},
      {"one of two that begin alike", options, "--chanel", "--channel"},
      {"the other", options, "--chanel-id", "--channel-id"},
      {"an option", options, "--ouptut", "--output"},
      {"two of seven letters wrong", commands, "versixy", "version"},
      {"three of seven letters wrong", commands, "verswxy", ""},
      {"far off", commands, "deploy", ""},
      {"only a part", commands, "gollum", ""},
      {"too much", commands, "help me out", ""},
      {"no letter in common", commands, "zzzzzzzzzz", ""},
      {"as long as all of it, but another word", options, "--retry", ""},
      {"nothing to choose from", List{}, "help", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CAPTURE(row.typed);
    CHECK(base::nearest(row.typed, row.candidates) == row.meant);
  }
}

TEST_CASE("nearest takes the first of two that are equally near") {
  CHECK(base::nearest("cat", {"car", "can"}) == "car");
  CHECK(base::nearest("can", {"car", "can"}) == "can");
}

TEST_CASE("wrap breaks lines between words") {
  struct {
    std::string what;
    std::string text;
    size_t indent;
    size_t width;
    std::string wrapped;
  } const rows[] = {
      {"empty", "", 2, 10, ""},
      {"short", "one two", 2, 10, "one two"},
      {"exactly full", "1234 567", 2, 10, "1234 567"},
      {"one column too many", "1234 5678", 2, 10, "1234\n  5678"},
      {"no indent", "aaa bbb ccc", 0, 7, "aaa bbb\nccc"},
      {"several lines", "one two three four", 4, 13, "one two\n    three\n    four"},
      {"a word wider than a line", "a 123456789 b", 2, 6, "a\n  123456789\n  b"},
      {"a wide word first", "123456789 b", 2, 6, "123456789\n  b"},
      {"a line break", "a\nb", 2, 10, "a\n  b"},
      {"a line break starts a fresh line", "aaaa\nbbbb cc", 2, 10, "aaaa\n  bbbb cc"},
      {"columns are letters, not bytes", "\xC3\xA4\xC3\xB6\xC3\xBC a", 0, 5,
       "\xC3\xA4\xC3\xB6\xC3\xBC a"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(base::wrap(row.text, row.indent, row.width) == row.wrapped);
  }
}

TEST_CASE("wrap keeps a line break at the start and an empty line") {
  CHECK(base::wrap("\na", 0, 10) == "\na");
  CHECK(base::wrap("a\n\nb", 0, 10) == "a\n\nb");
  CHECK(base::wrap("a\n", 0, 10) == "a\n");
}

TEST_CASE("wrap loses no word and fills no line too far") {
  const std::string text = "the quick brown fox jumps over the lazy dog and some more words";
  for (size_t width = 6; width < 80; ++width) {
    CAPTURE(width);
    const std::string wrapped = base::wrap(text, 0, width);
    CHECK(base::replace_all(wrapped, "\n", " ") == text);
    for (const std::string& line : base::split(wrapped, '\n')) CHECK(line.size() <= width);
  }
}

TEST_CASE("durations as people write them") {
  struct Row {
    std::string text;
    int64_t ms;  // -1: none
  };
  const Row rows[] = {{"1s", 1'000},   {"500ms", 500},  {"2", 2'000},      {"0", 0},
                      {"1.5s", 1'500}, {"3m", 180'000}, {"1h", 3'600'000}, {"24h", 86'400'000},
                      {"25h", -1},     {"", -1},        {"s", -1},         {"-1s", -1},
                      {"1 s", -1},     {"nan", -1},     {"1d", -1},        {"inf", -1}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    int64_t ms = -1;
    CHECK(base::read_duration_ms(row.text, ms) == (row.ms >= 0));
    CHECK(ms == row.ms);
  }
}
