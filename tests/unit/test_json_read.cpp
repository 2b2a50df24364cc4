#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

struct Failure {
  int code = 0;
  std::string text;
};

Failure failure_of(const std::string& text) {
  try {
    json::parse(text, "the event");
  } catch (const base::Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

std::string place(int line, int column) {
  return "the event is not JSON: line " + std::to_string(line) + ", column " +
         std::to_string(column) + ": ";
}

// As the writer shows it.
std::string again(const std::string& text) {
  return json::write(json::parse(text, "the event"));
}

std::string times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

template <typename Type>
Type parsed(const std::string& text) {
  const json::Value value = json::parse(text, "the event");
  REQUIRE(std::holds_alternative<Type>(value.data));
  return std::get<Type>(value.data);
}

struct BadRow {
  std::string what;
  std::string text;
  int line;
  int column;
  const char* why;
};

void check_bad(const BadRow& row) {
  CAPTURE(row.what);
  CAPTURE(row.text);
  const Failure failure = failure_of(row.text);
  CAPTURE(failure.text);
  CHECK(failure.code == 65);
  CHECK(failure.text.starts_with(place(row.line, row.column)));
  CHECK(failure.text.find(row.why) != std::string::npos);
}

}  // namespace

TEST_CASE("JSON of every type is read and written back") {
  for (const std::string text :
       {"null", "true", "false", "0", "-1", "1.5", "\"\"", "\"text\"", "[]", "{}", "[[],{}]",
        R"({"a":[1,2.5,-3,true,false,null,"x"],"b":{"c":{}}})", R"([[[["deep"]]]])"}) {
    CAPTURE(text);
    CHECK(again(text) == text);
  }
}

TEST_CASE("white space may stand between all tokens") {
  CHECK(again(" \t\r\n{ \"a\" :\n[ 1 ,\r\n2 ] , \"b\" : null }\n\n") == R"({"a":[1,2],"b":null})");
  CHECK(again(" true ") == "true");
  CHECK(again("\n12\n") == "12");
  CHECK(again("\t\"x\"\t") == "\"x\"");
}

TEST_CASE("escapes in texts and names become what they stand for") {
  struct {
    std::string what;
    std::string text;
    std::string meaning;
  } const rows[] = {
      {"the short ones", R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {"two bytes", R"("\u00e9\u00E9")", "\xC3\xA9\xC3\xA9"},
      {"three bytes", R"("\u20ac")", "\xE2\x82\xAC"},
      {"a surrogate pair", R"("\ud83d\ude00")", "\xF0\x9F\x98\x80"},
      {"the last code point", R"("\uDBFF\uDFFF")", "\xF4\x8F\xBF\xBF"},
      {"NUL", R"("a\u0000b")", std::string("a\0b", 3)},
      {"not escaped at all", "\"\xC3\xA9 \xF0\x9F\x98\x80 \x7F\"",
       "\xC3\xA9 \xF0\x9F\x98\x80 \x7F"},
      {"an escaped backslash before the end", R"("a\\")", "a\\"},
      {"looks like an escape", R"("\\u0041")", "\\u0041"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(parsed<std::string>(row.text) == row.meaning);
    const auto object = parsed<json::Object>("{" + std::string(row.text) + ":1}");
    REQUIRE(object.size() == 1);
    CHECK(object[0].name == row.meaning);
  }
}

TEST_CASE("whole numbers keep every digit up to 64 bits") {
  CHECK(parsed<int64_t>("0") == 0);
  CHECK(parsed<int64_t>("9007199254740993") == 9007199254740993);  // a double would lose one
  CHECK(parsed<int64_t>("9223372036854775807") == std::numeric_limits<int64_t>::max());
  CHECK(parsed<int64_t>("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  CHECK(parsed<uint64_t>("9223372036854775808") == 9223372036854775808U);
  CHECK(parsed<uint64_t>("18446744073709551615") == std::numeric_limits<uint64_t>::max());
}

TEST_CASE("numbers with a fraction or an exponent are doubles") {
  CHECK(parsed<double>("1.0") == 1.0);
  CHECK(parsed<double>("-2.5") == -2.5);
  CHECK(parsed<double>("1e2") == 100.0);
  CHECK(parsed<double>("1E+2") == 100.0);
  CHECK(parsed<double>("25e-1") == 2.5);
  CHECK(parsed<double>("0.1") == 0.1);
  CHECK(parsed<double>("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(parsed<double>("5e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(parsed<double>("1e-400") == 0.0);
}

TEST_CASE("a double of more digits than fit is the nearest one, not another number") {
  CHECK(parsed<double>("3.14159265358979323846") == 3.14159265358979323846);
  CHECK(parsed<double>("0.12345678901234567890123") == 0.12345678901234567890123);
  CHECK(parsed<double>("1000000000.000000001") == 1000000000.000000001);
  CHECK(parsed<double>("123456789012345678901234567890.0") == 123456789012345678901234567890.0);
  CHECK(again("[1.2345678901234567890]") == "[1.2345678901234567]");
}

TEST_CASE("numbers that no type holds are refused, not rounded") {
  const BadRow rows[] = {
      {"above 64 bits", "18446744073709551616", 1, 1, ""},
      {"below 64 bits", "[-9223372036854775809]", 1, 2, ""},
      {"thirty digits", "[0, 123456789012345678901234567890]", 1, 5, ""},
      {"above the doubles", "{\"a\": 1e400}", 1, 7, ""},
      {"below the doubles", "-1e400", 1, 1, ""},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("a fault of structure is told with its line and column") {
  const char* structure = "missing or out of place";
  const BadRow rows[] = {
      {"comma before ]", "[1,2,]", 1, 6, structure},
      {"comma before }", "{\"a\":1,}", 1, 8, structure},
      {"comma before ], over lines", "[1,\n2,\n]", 3, 1, structure},
      {"comma first", "[,1]", 1, 2, structure},
      {"two commas", "[1,,2]", 1, 4, structure},
      {"only a comma", "{,}", 1, 2, structure},
      {"no comma in an array", "[1 2]", 1, 4, structure},
      {"no comma in an object", "{\"a\":1 \"b\":2}", 1, 8, structure},
      {"no comma, over lines", "{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3, structure},
      {"no colon", "{\"a\" 1}", 1, 6, structure},
      {"equals sign for a colon", "{\"a\"=1}", 1, 5, structure},
      {"two colons", "{\"a\"::1}", 1, 6, structure},
      {"no value before }", "{\"a\":}", 1, 6, structure},
      {"no value before a comma", "{\"a\":,\"b\":1}", 1, 6, structure},
      {"a name without quotes", "{a:1}", 1, 2, structure},
      {"a number for a name", "{1:2}", 1, 2, structure},
      {"apostrophes", "['a']", 1, 2, structure},
      {"] closes {", "{\"a\":{\"b\":1]}", 1, 12, structure},
      {"} closes [", "{\"a\":[1,2}", 1, 10, structure},
      {"only ]", "]", 1, 1, structure},
      {"only }", "}", 1, 1, structure},
      {"columns count bytes", "[\"\xC3\xA4\",]", 1, 7, structure},
      {"a carriage return belongs to its line", "[\r\n,1]", 2, 1, structure},
      {"a comment in front", "/*c*/[1]", 1, 1, structure},
      {"a byte order mark", "\xEF\xBB\xBF{}", 1, 1, structure},
      {"a form feed in front", "\f[1]", 1, 1, structure},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("an array or object that is not closed is told with its place") {
  const BadRow rows[] = {
      {"only [", "[", 1, 1, "not closed"},
      {"only {", "{", 1, 1, "not closed"},
      {"behind a value", "[1", 1, 1, "not closed"},
      {"behind a comma", "[1,", 1, 1, "not closed"},
      {"behind a name", "{\"a\"", 1, 1, "not closed"},
      {"behind a colon", "{\"a\":", 1, 1, "not closed"},
      {"behind a member", "{\"a\":1", 1, 1, "not closed"},
      {"not at the start of the text", "\n\n  [1,\n2\n", 3, 3, "not closed"},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("a bracket of the wrong kind at the very end is told where it stands") {
  const char* structure = "missing or out of place";
  check_bad({"} for ]", "[1}", 1, 3, structure});
  check_bad({"] for }", "{\"a\":1]", 1, 7, structure});
}

TEST_CASE("a string that is not closed is told where it begins") {
  const char* why = "not closed";
  const BadRow rows[] = {
      {"alone", "\"abc", 1, 1, why},
      {"in an array", "[\"abc]", 1, 2, why},
      {"the second", "[\"a\", \"b]", 1, 7, why},
      {"a name", "{\"a", 1, 2, why},
      {"on the second line", "{\n  \"a\": \"b\n}", 2, 8, why},
      {"its end is escaped", "{\"a\":\"b\\\"", 1, 6, why},
      {"its end is escaped, but not the backslash", "[\"a\\\\\",\"b", 1, 8, why},
      {"cut inside an escape", "[\"ab\\", 1, 2, why},
      {"only a quote", "\"", 1, 1, why},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("a wrong escape is told where it stands") {
  const char* why = "escape";
  const BadRow rows[] = {
      {"no such letter", R"(["\x"])", 1, 3, why},
      {"three digits", R"(["ab\u12"])", 1, 5, why},
      {"no hexadecimal digit", R"(["\u12G4"])", 1, 3, why},
      {"the first half of a pair", R"(["\ud800"])", 1, 3, why},
      {"the second half of a pair", R"(["\udc00"])", 1, 3, why},
      {"half a pair and a letter", R"(["\ud800\u0041"])", 1, 3, why},
      {"two first halves", R"(["\uD800\uD800"])", 1, 3, why},
      {"in a name", R"({"\q":1})", 1, 3, why},
      {"in the second string", R"({"a":"\n","b":"\q"})", 1, 16, why},
      {"at the end of a line", "{\n\"a\": \"\\q\"\n}", 2, 7, why},
      {"in a text alone", R"("\q")", 1, 2, why},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("a control character in a string is told where it stands") {
  const char* why = "control character";
  const BadRow rows[] = {
      {"a tab", "[\"x\ty\"]", 1, 4, why},
      {"NUL", std::string("[\"a\0b\"]", 7), 1, 4, why},
      {"in a name", "{\"\x1F\":1}", 1, 3, why},
      {"in the second line", "{\"a\":\n\"b\rc\"}", 2, 3, why},
      {"the last one", "\"\x01\"", 1, 2, why},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("a string with a line break in it is told where it begins") {
  // The quote was forgotten, most likely.
  check_bad({"closed on the next line", "[\"x\n\"]", 1, 2, "not closed"});
  check_bad({"the next string closes it", "{\n\"a\": \"b,\n\"c\": \"d\"\n}", 2, 6, "not closed"});
}

TEST_CASE("words that only look like JSON's three are told with their place") {
  const char* words = "not true, false or null";
  const char* structure = "missing or out of place";
  const BadRow rows[] = {
      {"cut true", "tru", 1, 1, words},
      {"cut false", "[fals]", 1, 2, words},
      {"cut null", "nul", 1, 1, words},
      {"longer true", "[truex]", 1, 2, words},
      {"longer null", "{\"a\":nullx}", 1, 6, words},
      {"cut null in an array", "[1, nul]", 1, 5, words},
      {"on the second line", "{\n\"a\": tru\n}", 2, 6, words},
      {"Python's", "[True]", 1, 2, structure},
      {"JavaScript's", "[undefined]", 1, 2, structure},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("what is no number of JSON is told with its place") {
  const char* number = "not a number";
  const char* structure = "missing or out of place";
  const BadRow rows[] = {
      {"leading zero", "01", 1, 1, number},
      {"leading zero in an array", "[1,2,01]", 1, 6, number},
      {"two zeros", "00", 1, 1, number},
      {"leading zero behind minus", "-01", 1, 1, number},
      {"nothing behind the point", "1.", 1, 1, number},
      {"nothing behind the point in an array", "[1.]", 1, 2, number},
      {"nothing before the point", "[.5]", 1, 2, structure},
      {"only minus", "-", 1, 1, number},
      {"only minus in an array", "[1,-,3]", 1, 4, number},
      {"plus", "[+1]", 1, 2, structure},
      {"no exponent", "[1e]", 1, 2, number},
      {"only the exponent's sign", "1e+", 1, 1, number},
      {"hexadecimal", "0x10", 1, 1, number},
      {"two points", "[1.5.2]", 1, 2, number},
      {"a letter behind it", "[1a]", 1, 2, number},
      {"NaN", "NaN", 1, 1, structure},
      {"NaN in an array", "[1,NaN]", 1, 4, structure},
      {"Infinity", "[Infinity]", 1, 2, structure},
      {"-Infinity", "[-Infinity]", 1, 2, number},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("something behind the document is told where it stands") {
  const char* behind = "behind the end";
  const BadRow rows[] = {
      {"a bracket too many", "{}}", 1, 3, behind},
      {"another bracket too many", "[]]", 1, 3, behind},
      {"a second array", "[] []", 1, 4, behind},
      {"a second object", "{}{}", 1, 3, behind},
      {"JSON Lines", "{\"a\":1}\n{\"b\":2}", 2, 1, behind},
      {"a second string", "\"a\" \"b\"", 1, 5, behind},
      {"a comma behind a string", "\"a\",", 1, 4, behind},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("something without brackets behind an array or object is told where it stands") {
  const char* behind = "behind the end";
  check_bad({"a word", "{} x", 1, 4, behind});
  check_bad({"a comma", "{},", 1, 3, behind});
  check_bad({"a comment", "[1] // c", 1, 5, behind});
  check_bad({"on a later line", "[1]\n\n,", 3, 1, behind});
}

TEST_CASE("something behind a number or a word is told where it stands") {
  const char* behind = "behind the end";
  check_bad({"a second number", "1 2", 1, 3, behind});
  check_bad({"a comma", "1,", 1, 2, behind});
  check_bad({"a second word", "true false", 1, 6, behind});
}

TEST_CASE("something behind the document is refused whatever it is") {
  for (const std::string text :
       {"null x", "null null", "null,", "1 x", "\"a\"x", "[1]\f", "{} {", "1]"}) {
    CAPTURE(text);
    CHECK(failure_of(text).code == 65);
  }
}

TEST_CASE("a text with nothing in it is refused") {
  for (const std::string text : {"", " ", "\n", " \t\r\n "}) {
    CAPTURE(text);
    const Failure failure = failure_of(text);
    CHECK(failure.code == 65);
    CHECK(failure.text.find("the event") != std::string::npos);
    CHECK(failure.text.find("empty") != std::string::npos);
  }
  CHECK(failure_of("\xEF\xBB\xBF").code == 65);
  CHECK(failure_of(std::string("\0", 1)).code == 65);
}

TEST_CASE("bytes that are no UTF-8 are told where they stand") {
  const char* why = "not UTF-8";
  const BadRow rows[] = {
      {"in a text", "[\"a\xFF\"]", 1, 4, why},
      {"in a name", "{\"\xC3\":1}", 1, 3, why},
      {"on the second line", "{\n \"a\": \"\xE2\x82\"}", 2, 8, why},
      {"outside of texts", "[1,\xA0 2]", 1, 4, why},
      {"a surrogate", "\"\xED\xA0\x80\"", 1, 2, why},
      {"overlong", "\"\xC0\xAF\"", 1, 2, why},
      {"UTF-16 with its mark", std::string("\xFF\xFE{\0}\0", 6), 1, 1, why},
      {"before any other fault is looked for", "[1,,\"\xFF\"", 1, 6, why},
  };
  for (const BadRow& row : rows) check_bad(row);
}

TEST_CASE("500 levels of nesting are read, one more is refused") {
  const std::string arrays = times(500, "[") + times(500, "]");
  CHECK(again(arrays) == arrays);
  const std::string objects = times(499, "{\"a\":") + "{}" + times(499, "}");
  CHECK(again(objects) == objects);
  const std::string many = "[" + times(2000, "[[]],") + "[]]";  // wide is not deep
  CHECK(again(many) == many);

  for (const std::string& text :
       {times(501, "[") + times(501, "]"), times(500, "{\"a\":") + "{}" + times(500, "}"),
        times(250, "[{\"a\":") + "[]" + times(250, "}]")}) {
    const Failure failure = failure_of(text);
    CHECK(failure.code == 65);
    CHECK(failure.text.find("500") != std::string::npos);
  }
}

TEST_CASE("a plain value in the 500th level is no level of its own") {
  const std::string text = times(500, "[") + "1" + times(500, "]");
  CHECK(failure_of(text).text == "");
}

TEST_CASE("100,000 brackets end in an error, not in a crash") {
  for (const std::string& text :
       {times(100'000, "["), times(100'000, "{"), times(100'000, "]"), times(100'000, "{\"a\":"),
        times(100'000, "[{\"\":"), times(100'000, "[") + times(100'000, "]")}) {
    CHECK(failure_of(text).code == 65);
  }
}

TEST_CASE("of members with the same name all are kept in order and the first is found") {
  const json::Value value = json::parse(R"({"a":1,"b":2,"a":3})", "the event");
  CHECK(json::write(value) == R"({"a":1,"b":2,"a":3})");
  REQUIRE(json::find(value, "a") != nullptr);
  CHECK(json::write(*json::find(value, "a")) == "1");
}

TEST_CASE("a name is compared after its escapes are resolved") {
  const json::Value value = json::parse(R"({"\u0061\u0062":"yes"})", "the event");
  CHECK(json::string_at(value, "ab") == "yes");
}

TEST_CASE("reading cuts at no NUL and needs no room behind the text") {
  const std::string text = "[1,2]trailing";
  const json::Value value = json::parse(std::string_view(text).substr(0, 5), "the event");
  CHECK(json::write(value) == "[1,2]");
  CHECK(failure_of(std::string("[1]\0", 4)).code == 65);
}

TEST_CASE("find and its friends answer nothing where there is nothing") {
  const json::Value value = json::parse(
      R"({"text":"t","yes":true,"no":false,"none":null,"list":[1],"in":{"deep":{"er":"x"}}})",
      "the event");
  CHECK(json::string_at(value, "text") == "t");
  for (const std::string name : {"yes", "none", "list", "in", "missing", "", "TEXT"}) {
    CAPTURE(name);
    CHECK(json::string_at(value, name) == "");
  }
  CHECK(json::bool_at(value, "yes"));
  for (const std::string name : {"no", "none", "text", "list", "missing"}) {
    CAPTURE(name);
    CHECK(!json::bool_at(value, name));
  }
  CHECK(json::is_null(json::find(value, "none")));
  CHECK(json::is_null(json::find(value, "missing")));
  CHECK(!json::is_null(json::find(value, "no")));
  CHECK(json::as_array(json::find(value, "list"))->size() == 1);
  CHECK(json::as_array(json::find(value, "in")) == nullptr);
  CHECK(json::as_object(json::find(value, "list")) == nullptr);
  CHECK(json::as_string(nullptr) == nullptr);
  REQUIRE(json::find(value, {"in", "deep", "er"}) != nullptr);
  CHECK(*json::as_string(json::find(value, {"in", "deep", "er"})) == "x");
  CHECK(json::find(value, {"in", "deeper", "er"}) == nullptr);
  CHECK(json::find(value, {"text", "er"}) == nullptr);
  const json::Value plain("plain");
  CHECK(json::find(plain, "text") == nullptr);
}

TEST_CASE("a word that is all there is ends where it ends") {
  for (const std::string text : {"true!", "false!", "null_", "true1", " false- "}) {
    CAPTURE(text);
    CHECK_FALSE(json::try_parse(text));
    CHECK_FALSE(json::is_json(text));
  }
  for (const std::string text : {"true", " false\n", "\tnull "}) {
    CAPTURE(text);
    CHECK(json::try_parse(text));
  }
}

TEST_CASE("an error names its source and is one line") {
  for (const std::string text : {"[1,\n\n2", "", "{\"a\n", "[01]"}) {
    CAPTURE(text);
    const Failure failure = failure_of(text);
    CHECK(failure.text.starts_with("the event"));
    CHECK(failure.text.find('\n') == std::string::npos);
  }
}

TEST_CASE("the version of the parser is told") {
  CHECK(json::simdjson_version().find('.') != std::string::npos);
}
