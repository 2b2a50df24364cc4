#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "base/utf8.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

using json::Array;
using json::Object;
using json::Value;

}  // namespace

TEST_CASE("values of every type are written on one line without spaces") {
  struct {
    Value value;
    std::string text;
  } const rows[] = {
      {nullptr, "null"},
      {true, "true"},
      {false, "false"},
      {0, "0"},
      {-7, "-7"},
      {std::numeric_limits<int64_t>::min(), "-9223372036854775808"},
      {std::numeric_limits<int64_t>::max(), "9223372036854775807"},
      {std::numeric_limits<uint64_t>::max(), "18446744073709551615"},
      {"", "\"\""},
      {"text", "\"text\""},
      {Array{}, "[]"},
      {Object{}, "{}"},
      {Array{1, "two", nullptr, Array{}, Object{}}, R"([1,"two",null,[],{}])"},
      {Object{{"b", 1}, {"a", Array{true, Object{{"c", "d"}}}}}, R"({"b":1,"a":[true,{"c":"d"}]})"},
      {Array{"[", "{", "]"}, R"(["[","{","]"])"},  // brackets in texts open nothing
      {Array{Array{}, Array{}, Object{}, Object{}}, "[[],[],{},{}]"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(json::write(row.value) == row.text);
  }
}

TEST_CASE("a text built by hand is a text, not a truth value") {
  const char* text = "x";
  CHECK(json::write(Value(text)) == "\"x\"");
  CHECK(json::write(Value(std::string_view("xyz").substr(0, 2))) == "\"xy\"");
  CHECK(json::write(Object{{"name", std::string("v")}}) == R"({"name":"v"})");
}

TEST_CASE("doubles are written as briefly as reads back to the same") {
  for (const double value : {0.1, -2.5, 1.0 / 3, 1e22, 1e300, 1e-7, 123456789.125, 5e-324,
                             std::numeric_limits<double>::max(), 1700000000.123456}) {
    CAPTURE(value);
    const std::string text = json::write(value);
    CAPTURE(text);
    const Value again = json::parse(text, "the text");
    REQUIRE(std::holds_alternative<double>(again.data));
    CHECK(std::get<double>(again.data) == value);
  }
  CHECK(json::write(0.1) == "0.1");
  CHECK(json::write(2.5) == "2.5");
  CHECK(json::write(-0.0) == "-0.0");  // "-0" would be read as the whole number 0
}

TEST_CASE("numbers that JSON does not know become null") {
  CHECK(json::write(std::nan("")) == "null");
  CHECK(json::write(std::numeric_limits<double>::infinity()) == "null");
  CHECK(json::write(Array{-std::numeric_limits<double>::infinity(), 1}) == "[null,1]");
}

TEST_CASE("texts and names are escaped as JSON wants it") {
  struct {
    std::string what;
    std::string text;
    std::string quoted;
  } const rows[] = {
      {"quote and backslash", R"(a"b\c)", R"("a\"b\\c")"},
      {"line breaks and tab", "\r\n\t", R"("\r\n\t")"},
      {"other control characters", "\x01\b\f\x1F", R"("\u0001\u0008\u000c\u001f")"},
      {"NUL", std::string("a\0b", 3), R"("a\u0000b")"},
      {"DEL and slash are as they are", "\x7F/", "\"\x7F/\""},
      {"letters beyond ASCII", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
       "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""},
      {"an escape that is text", R"(\n)", R"("\\n")"},
      {"invalid UTF-8", "a\xFF\xC3", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"half a surrogate pair", "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"an attempt to break out", R"(","admin":true,"x":")", R"("\",\"admin\":true,\"x\":\"")"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(json::write(row.text) == row.quoted);
    CHECK(json::write(Object{{row.text, 1}}) == "{" + row.quoted + ":1}");
  }
}

TEST_CASE("every byte and every code point of a text survives writing and reading") {
  std::string text;
  for (char32_t c = 0; c < 0x3000; ++c) base::append_code_point(text, c);
  base::append_code_point(text, 0xFFFF);
  base::append_code_point(text, 0x10FFFF);
  const Value again = json::parse(json::write(text), "the text");
  REQUIRE(json::as_string(&again) != nullptr);
  CHECK(*json::as_string(&again) == text);
}

TEST_CASE("what is read, written and read again stays the same") {
  const char* texts[] = {
      R"({"a":[1,-2,2.5,true,false,null,"x\n\"\\"],"b":{"c":{},"d":[]},"a":"again"})",
      R"([9223372036854775807,-9223372036854775808,1e+300,5e-324])",
      R"(["\u0000","\ud83d\ude00","\u00e9","\u2028"])",
      R"([[[[[]]]],{"":{"":""}}])",
      R"("alone")",
  };
  for (const std::string text : texts) {
    CAPTURE(text);
    const Value once = json::parse(text, "the text");
    const std::string written = json::write(once);
    CHECK(json::write(json::parse(written, "the text")) == written);
    CHECK(json::write(json::parse_yaml(written, "the text")) == written);
  }
}
