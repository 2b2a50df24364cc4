#include <doctest/doctest.h>

#include <string>

#include "base/utf8.hpp"

namespace {

constexpr size_t kAllWell = std::string::npos;
const std::string kBad = "\xEF\xBF\xBD";        // U+FFFD
const std::string kDots = "\xE2\x80\xA6";       // U+2026
const std::string kSmile = "\xF0\x9F\x98\x80";  // U+1F600, two UTF-16 units

size_t first_invalid(const std::string& text) {
  return base::first_invalid_utf8(text).value_or(kAllWell);
}

std::string encoded(char32_t code_point) {
  std::string text;
  base::append_code_point(text, code_point);
  return text;
}

std::string times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("code points at the edges of each length are written and read back") {
  struct {
    char32_t code_point;
    std::string bytes;
  } const rows[] = {
      {0x01, "\x01"},
      {0x7F, "\x7F"},
      {0x80, "\xC2\x80"},
      {0x7FF, "\xDF\xBF"},
      {0x800, "\xE0\xA0\x80"},
      {0xD7FF, "\xED\x9F\xBF"},
      {0xE000, "\xEE\x80\x80"},
      {0xFFFD, "\xEF\xBF\xBD"},
      {0xFFFE, "\xEF\xBF\xBE"},
      {0xFFFF, "\xEF\xBF\xBF"},
      {0x10000, "\xF0\x90\x80\x80"},
      {0x10FFFF, "\xF4\x8F\xBF\xBF"},
  };
  for (const auto& row : rows) {
    const std::string bytes = row.bytes;
    CAPTURE(uint32_t{row.code_point});
    CHECK(encoded(row.code_point) == bytes);
    CHECK(first_invalid(bytes) == kAllWell);
    CHECK(base::repair_utf8(bytes) == bytes);
    size_t at = 0;
    CHECK(uint32_t{base::next_code_point(bytes, at)} == uint32_t{row.code_point});
    CHECK(at == bytes.size());
  }
}

TEST_CASE("every code point but the surrogates survives writing and reading") {
  for (char32_t c = 0; c <= 0x10FFFF; c += 7) {  // 7: all lengths, all lead bytes, in no time
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string bytes = encoded(c);
    size_t at = 0;
    if (base::next_code_point(bytes, at) != c || at != bytes.size()) FAIL(uint32_t{c});
  }
}

TEST_CASE("invalid bytes are found where they begin and replaced one by one") {
  struct {
    std::string what;
    std::string text;
    size_t at;
    std::string repaired;
  } const rows[] = {
      {"overlong NUL", "\xC0\x80", 0, times(2, kBad)},
      {"overlong DEL", "\xC1\xBF", 0, times(2, kBad)},
      {"overlong slash of three bytes", "\xE0\x80\xAF", 0, times(3, kBad)},
      {"longest overlong of three bytes", "\xE0\x9F\xBF", 0, times(3, kBad)},
      {"longest overlong of four bytes", "\xF0\x8F\xBF\xBF", 0, times(4, kBad)},
      {"first surrogate", "\xED\xA0\x80", 0, times(3, kBad)},
      {"last surrogate", "\xED\xBF\xBF", 0, times(3, kBad)},
      {"a surrogate pair in UTF-8", "\xED\xA0\xBD\xED\xB8\x80", 0, times(6, kBad)},
      {"U+110000", "\xF4\x90\x80\x80", 0, times(4, kBad)},
      {"lead byte F5", "\xF5\x80\x80\x80", 0, times(4, kBad)},
      {"five bytes", "\xF8\x88\x80\x80\x80", 0, times(5, kBad)},
      {"six bytes", "\xFC\x84\x80\x80\x80\x80", 0, times(6, kBad)},
      {"FE and FF", "\xFE\xFF", 0, times(2, kBad)},
      {"a lone continuation", "a\x80z", 1, "a" + kBad + "z"},
      {"cut after one of two", "ab\xC3", 2, "ab" + kBad},
      {"cut after two of three", "a\xE2\x82", 1, "a" + times(2, kBad)},
      {"cut after three of four", "\xF0\x9F\x98", 0, times(3, kBad)},
      {"cut by a letter",
       "\xE2\x82"
       "A",
       0, times(2, kBad) + "A"},
      {"cut by another lead byte", "\xC3\xC3\xA9", 0, kBad + "\xC3\xA9"},
      {"Latin-1", "caf\xE9 au lait", 3, "caf" + kBad + " au lait"},
      {"behind a long valid text", times(1000, kSmile) + "\xFF", 4000, times(1000, kSmile) + kBad},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(first_invalid(row.text) == row.at);
    CHECK(base::repair_utf8(row.text) == row.repaired);
    CHECK(first_invalid(row.repaired) == kAllWell);
    size_t at = row.at;
    CHECK(uint32_t{base::next_code_point(row.text, at)} == 0xFFFD);
    CHECK(at == row.at + 1);
  }
}

TEST_CASE("valid text is left alone by the repair") {
  for (const std::string& text :
       {std::string(), std::string("plain"), std::string("a\0b", 3), "\xC3\xA4 " + kSmile, kBad,
        std::string("\xEF\xBB\xBF"
                    "BOM")}) {
    CAPTURE(text);
    CHECK(first_invalid(text) == kAllWell);
    CHECK(base::repair_utf8(text) == text);
  }
}

TEST_CASE("the length counts UTF-16 units") {
  struct {
    std::string text;
    size_t units;
  } const rows[] = {
      {"", 0},
      {"abc", 3},
      {"\xC3\xA4", 1},
      {"\xE2\x82\xAC", 1},
      {"\xEF\xBF\xBF", 1},      // U+FFFF, the last with one
      {"\xF0\x90\x80\x80", 2},  // U+10000, the first with two
      {kSmile, 2},
      {"e\xCC\x81", 2},  // a combining accent counts for itself
      {"\xFF", 1},       // as U+FFFD
      {"\xF0\x9F\x98", 3},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(base::utf16_length(row.text) == row.units);
  }
}

TEST_CASE("shorten cuts between code points and says so with dots") {
  struct {
    std::string text;
    size_t max_units;
    std::string shortened;
  } const rows[] = {
      {"", 0, ""},
      {"", 5, ""},
      {"abc", 0, ""},
      {"abc", 1, kDots},
      {"abc", 2, "a" + kDots},
      {"abc", 3, "abc"},
      {"abc", 4, "abc"},
      {"\xC3\xA4\xC3\xB6\xC3\xBC", 2, "\xC3\xA4" + kDots},
      {"\xC3\xA4\xC3\xB6\xC3\xBC", 3, "\xC3\xA4\xC3\xB6\xC3\xBC"},
      {kSmile, 1, kDots},
      {kSmile, 2, kSmile},
      {kSmile + kSmile, 2, kDots},  // one unit left of the dots: half a smile
      {kSmile + kSmile, 3, kSmile + kDots},
      {kSmile + kSmile, 4, kSmile + kSmile},
      {"a" + kSmile + "b", 3, "a" + kDots},  // not the half of the pair
      {"a" + kSmile + "b", 4, "a" + kSmile + "b"},
      {"\xFF", 1, kBad},  // repaired also when nothing is cut
      {"\xFF\xFE\xFD", 2, kBad + kDots},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CAPTURE(row.max_units);
    CHECK(base::shorten(row.text, row.max_units) == row.shortened);
  }
}

TEST_CASE("shorten keeps to every limit and gives valid UTF-8") {
  const std::string text =
      "a\xC3\xA4" + kSmile + "\xE2\x82\xAC\xFFz" + kSmile + kSmile + "\xF0\x9F";
  for (size_t max_units = 0; max_units < 20; ++max_units) {
    CAPTURE(max_units);
    const std::string shortened = base::shorten(text, max_units);
    CHECK(base::utf16_length(shortened) <= max_units);
    CHECK(first_invalid(shortened) == kAllWell);
    if (max_units >= base::utf16_length(text)) CHECK(shortened == base::repair_utf8(text));
  }
}

TEST_CASE("one_line leaves nothing that moves the cursor or turns the text around") {
  struct {
    std::string what;
    std::string text;
    std::string line;
  } const rows[] = {
      {"plain", "plain text", "plain text"},
      {"empty", "", ""},
      {"line feed", "a\nb", "a b"},
      {"carriage return and line feed", "a\r\nb", "a  b"},
      {"tab", "a\tb", "a b"},
      {"vertical tab and form feed", "a\v\fb", "a  b"},
      {"NUL", std::string("a\0b", 3), "ab"},
      {"backspace and bell", "a\b\ab", "ab"},
      {"DEL",
       "a\x7F"
       "b",
       "ab"},
      {"colour", "\x1B[31mred\x1B[0m", "[31mred[0m"},
      {"window title", "\x1B]0;title\a", "]0;title"},
      {"C1: next line",
       "a\xC2\x85"
       "b",
       "a b"},
      {"C1: control sequence introducer",
       "\xC2\x9B"
       "31mred",
       "31mred"},
      {"C1: the first and the last",
       "a\xC2\x80\xC2\x9F"
       "b",
       "ab"},
      {"the first behind C1",
       "a\xC2\xA0"
       "b",
       "a\xC2\xA0"
       "b"},
      {"line separator",
       "a\xE2\x80\xA8"
       "b",
       "a b"},
      {"paragraph separator",
       "a\xE2\x80\xA9"
       "b",
       "a b"},
      {"embedding and override",
       "\xE2\x80\xAA\xE2\x80\xAB\xE2\x80\xAC\xE2\x80\xAD\xE2\x80\xAE"
       "x",
       "x"},
      {"isolates",
       "\xE2\x81\xA6\xE2\x81\xA7\xE2\x81\xA8\xE2\x81\xA9"
       "x",
       "x"},
      {"neighbours of those", "\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA",
       "\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA"},
      {"other scripts", "\xD7\xA9\xD7\x9C \xE4\xBD\xA0 " + kSmile,
       "\xD7\xA9\xD7\x9C \xE4\xBD\xA0 " + kSmile},
      {"a raw C1 byte is invalid UTF-8",
       "a\x9B"
       "31m",
       "a" + kBad + "31m"},
      {"a control character cut by its lead byte", "\xC2", kBad},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(base::one_line(row.text) == row.line);
  }
}

TEST_CASE("one_line gives the same when it is done twice") {
  std::string all;
  for (char32_t c = 0; c < 0x3000; ++c) base::append_code_point(all, c);
  all += "\xFF\xC0\x80";
  const std::string once = base::one_line(all);
  CHECK(first_invalid(once) == kAllWell);
  CHECK(base::one_line(once) == once);
  for (const char c : once) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') FAIL("a control character is left");
  }
}
