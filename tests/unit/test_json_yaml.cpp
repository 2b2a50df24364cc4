#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

// As JSON, for a readable comparison.
std::string json_of(const std::string& yaml) {
  return json::write(json::parse_yaml(yaml, "mentions.yml"));
}

struct Failure {
  int code = 0;
  std::string text;
};

Failure failure_of(const std::string& yaml) {
  try {
    json::parse_yaml(yaml, "mentions.yml");
  } catch (const base::Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

std::string times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("plain scalars have the types of the core schema") {
  struct {
    std::string scalar;
    std::string json;
  } const rows[] = {
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"Null", "null"},
      {"NULL", "null"},
      {"true", "true"},
      {"True", "true"},
      {"TRUE", "true"},
      {"false", "false"},
      {"False", "false"},
      {"FALSE", "false"},
      {"0", "0"},
      {"-12", "-12"},
      {"007", "7"},  // no octal number: YAML 1.1 had those
      {"9223372036854775807", "9223372036854775807"},
      {"1.5", "1.5"},
      {"-.5", "-0.5"},
      {"1e3", "1000"},
      {"1.50", "1.5"},
      {"1700000000.000100", "\"1700000000.000100\""},
      {"0.123456789012345", "\"0.123456789012345\""},
      {"2.5E-1", "0.25"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.scalar);
    CHECK(json_of("a: " + row.scalar) == "{\"a\":" + row.json + "}");
  }
}

TEST_CASE("what is no null, truth value or number stays text") {
  for (const std::string scalar :
       {"yes",        "no",    "on",   "off",       "y",          "N",       "nUll",
        "tRUE",       "nil",   "none", "U0123ABCD", "0123ABC",    "1.2.3",   "12:30:45",
        "2024-01-31", "1_000", "-",    "+",         ".",          "e5",      "1e",
        "--1",        "inf",   "nan",  "a#b",       "http://x/y", "\xC3\xA9"}) {
    CAPTURE(scalar);
    CHECK(json_of("[" + scalar + "]") == "[\"" + scalar + "\"]");
  }
}

TEST_CASE("whole numbers are int64_t, others double") {
  const json::Value value = json::parse_yaml("[1, 1.0]", "x");
  const json::Array& array = *json::as_array(&value);
  CHECK(std::holds_alternative<int64_t>(array[0].data));
  CHECK(std::holds_alternative<double>(array[1].data));
}

TEST_CASE("quoted and block scalars stay text whatever is in them") {
  struct {
    std::string yaml;
    std::string json;
  } const rows[] = {
      {"'1'", "\"1\""},
      {"\"1\"", "\"1\""},
      {"'true'", "\"true\""},
      {"\"null\"", "\"null\""},
      {"'~'", "\"~\""},
      {"''", "\"\""},
      {"\"\"", "\"\""},
      {"!!str 1", "\"1\""},
      {"!!str null", "\"null\""},
      {"|\n  1\n", "\"1\\n\""},
      {">-\n  true\n", "\"true\""},
      {"'it''s'", "\"it's\""},
      {R"("a\n\t\"\\ \u00e9 \x41 \U0001F600")", "\"a\\n\\t\\\"\\\\ \xC3\xA9 A \xF0\x9F\x98\x80\""},
      {R"('a\n')", "\"a\\\\n\""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.yaml);
    CHECK(json_of("a: " + row.yaml) == "{\"a\":" + row.json + "}");
  }
}

TEST_CASE("maps and lists in block and flow style become objects and arrays") {
  struct {
    std::string what;
    std::string yaml;
    std::string json;
  } const rows[] = {
      {"a map", "alice: U1\nbob: U2\n", R"({"alice":"U1","bob":"U2"})"},
      {"order is kept", "b: 1\na: 2\n", R"({"b":1,"a":2})"},
      {"Windows line breaks", "a: 1\r\nb: x\r\n", R"({"a":1,"b":"x"})"},
      {"a byte order mark",
       "\xEF\xBB\xBF"
       "a: 1",
       R"({"a":1})"},
      {"comments", "# one\na: 1 # two\n# three\n", R"({"a":1})"},
      {"a directive", "%YAML 1.2\n---\na: 1\n", R"({"a":1})"},
      {"an end mark", "a: 1\n...\n", R"({"a":1})"},
      {"lists in lists", "- - 1\n  - 2\n-\n- 3\n", "[[1,2],null,3]"},
      {"a list of maps", "- a: 1\n  b: 2\n- c: 3\n", R"([{"a":1,"b":2},{"c":3}])"},
      {"flow style", "{a: [1, two], b: {c: }}", R"({"a":[1,"two"],"b":{"c":null}})"},
      {"a comma at the end", "[1, 2,]", "[1,2]"},
      {"an alias", "a: &x [1]\nb: *x\n", R"({"a":[1],"b":[1]})"},
      {"only text", "plain text", R"("plain text")"},
      {"only a number", "12", "12"},
      {"JSON", "{\n\t\"a\": [1, 2.5, null, true],\n\t\"b\": \"x\\n\\/\"\n}",
       R"({"a":[1,2.5,null,true],"b":"x\n/"})"},
      {"JSON without spaces", R"({"a":"b","c":[{"d":null}]})", R"({"a":"b","c":[{"d":null}]})"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(json_of(row.yaml) == row.json);
  }
}

TEST_CASE("names are text also when they look like something else") {
  CHECK(json_of("1: a\ntrue: b\n1.5: c\n'~': d\n\"q\": e\n") ==
        R"({"1":"a","true":"b","1.5":"c","~":"d","q":"e"})");
}

TEST_CASE("a document with nothing in it is null") {
  for (const std::string yaml : {"", "\n", "   \n", "# only a comment\n", "---\n", "~\n"}) {
    CAPTURE(yaml);
    CHECK(json_of(yaml) == "null");
  }
}

TEST_CASE("of members with the same name all are kept and the first is found") {
  const json::Value value = json::parse_yaml("a: 1\nb: 2\na: 3\n", "x");
  CHECK(json::write(value) == R"({"a":1,"b":2,"a":3})");
  CHECK(json::write(*json::find(value, "a")) == "1");
}

TEST_CASE("a fault is told with its line and column") {
  struct {
    std::string what;
    std::string yaml;
    std::string place;
  } const rows[] = {
      {"two colons", "a: b: c", "line 1, column 5"},
      {"deeper than its parent allows", "a: 1\n b: 2\n", "line 2, column 3"},
      {"between two levels", "a:\n  - b\n c: 1\n", "line 3, column 2"},
      {"a tab for an indent", "k: v\n\tx: 1\n", "line 2, column 1"},
      {"an unknown alias", "a: 1\nb: *nope\n", "line 2, column 4"},
      {"a reserved character", "a: @x", "line 1, column 4"},
      {"an unknown escape", "a: \"\\q\"", "line 1, column 7"},
      {"a closing bracket alone", "a: ]", "line 1, column 4"},
      {"the wrong closing bracket", "[\n  1,\n  2\n}\n", "line 4, column 1"},
      {"an array not closed", "x: 1\na: [1,\n  2\n", "line 4, column 1"},
      {"an object not closed", "x: 1\na: {b: 1\n", "line 3, column 1"},
      {"a string not closed", "a: 1\nb: \"x", "line 2, column 6"},
      {"text behind a quoted one", "a: 'b' c", "line 1, column 8"},
      {"a bracket behind the document", "{\"a\": 1}\n}", "line 2, column 1"},
      {"an array for a name", "b: 1\n? [a]\n: 1\n", "line 2, column 3"},
      {"an object for a name", "? {a: b}\n: 1\n", "line 1, column 3"},
      {"null for a name", "a: 1\n~: 1\n", "line 2, column 1"},
      {"no name", ": 1", "line 1, column 1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Failure failure = failure_of(row.yaml);
    CAPTURE(failure.text);
    CHECK(failure.code == 65);
    CHECK(failure.text.starts_with("mentions.yml is not YAML: " + row.place + ": "));
    CHECK(failure.text.find('\n') == std::string::npos);
  }
}

TEST_CASE("one document is allowed, and nothing behind it is dropped without a word") {
  struct {
    std::string what;
    std::string yaml;
    std::string place;
  } const rows[] = {
      {"a second document", "a: 1\n---\nb: 2\n", "line 2, column 1"},
      {"an empty second one", "a: 1\n---\n", "line 2, column 1"},
      {"behind an end mark", "a: 1\n...\nb: 2\n", "line 3, column 1"},
      {"a map behind a list", "- a\nb: 1\n", "line 2, column 1"},
      {"text behind an object", "{} x", "line 1, column 4"},
      {"a comma behind an array", "[1],2", "line 1, column 4"},
      {"only a comma", ",", "line 1, column 1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Failure failure = failure_of(row.yaml);
    CAPTURE(failure.text);
    CHECK(failure.code == 65);
    CHECK(failure.text.starts_with("mentions.yml is not YAML: " + row.place + ": "));
  }
}

TEST_CASE("bytes that are no UTF-8 are refused") {
  for (const std::string yaml : {"a: '\xFF'", "caf\xE9: 1", "# \xC3"}) {
    CAPTURE(yaml);
    const Failure failure = failure_of(yaml);
    CHECK(failure.code == 65);
    CHECK(failure.text.find("mentions.yml") != std::string::npos);
    CHECK(failure.text.find("UTF-8") != std::string::npos);
  }
}

TEST_CASE("aliases within reason are followed") {
  const std::string yaml = "- &a [" + times(99, "1,") + "1]\n- [" + times(49, "*a,") + "*a]\n";
  const json::Value value = json::parse_yaml(yaml, "x");
  const json::Array& array = *json::as_array(&value);
  REQUIRE(json::as_array(&array[1]) != nullptr);
  CHECK(json::as_array(&array[1])->size() == 50);
}

TEST_CASE("a small text whose aliases grow without measure is refused") {
  std::string yaml = "- &a [" + times(99, "~,") + "~]\n";
  yaml += "- &b [" + times(99, "*a,") + "*a]\n";
  yaml += "- &c [" + times(99, "*b,") + "*b]\n";
  yaml += "- [" + times(99, "*c,") + "*c]\n";  // a hundred million in 2,000 bytes
  const Failure failure = failure_of(yaml);
  CHECK(failure.code == 65);
  CHECK(failure.text.find("aliases") != std::string::npos);
}

TEST_CASE("an alias inside of what it stands for is refused") {
  for (const std::string yaml : {"&a [*a]", "a: &a\n  b: *a\n", "&a {x: [1, {y: *a}]}"}) {
    CAPTURE(yaml);
    CHECK(failure_of(yaml).code == 65);
  }
}

TEST_CASE("deep nesting ends in an error, not in a crash") {
  const std::string fine = times(400, "[") + times(400, "]");
  CHECK(json_of(fine) == fine);
  std::string block;
  for (size_t level = 0; level < 1000; ++level) block += std::string(level, ' ') + "a:\n";
  for (const std::string& yaml :
       {times(1000, "[") + times(1000, "]"), times(100'000, "["), times(100'000, "{"),
        times(1000, "{a: "), times(1000, "- "), times(1000, "? "), block}) {
    CHECK(failure_of(yaml).code == 65);
  }
}

TEST_CASE("the version of the parser is told") {
  CHECK(json::yaml_cpp_version().find('.') != std::string::npos);
}

TEST_CASE("a quote that is not closed is refused where it stands") {
  for (const std::string text :
       {"a: \"open\n", "a: 'open\n", "\"a\\\"\n", "'it''s\n", "a: \"b\nc: d\n",
        "\xC3\xBC: \"open\n", "a: &b \"open\n", "a: !!str 'open\n", "a: !!str &b \"open\n"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(json::parse_yaml(text, "x"), doctest::Contains("line 1"), base::Error);
  }
  for (const std::string text :
       {"a: \"b\"\n", "'it''s'\n", "\"a\\\"b\"\n", "\xC3\xBC: \"b\"\n", "\xEF\xBB\xBF\"a\": 'b'\n",
        "a: it's\n", "a: &b \"c\"\n", "a: !!str &b 'c'\n", "a: &b\nc: 'd'\n", "a: !!str"}) {
    CAPTURE(text);
    CHECK_NOTHROW(json::parse_yaml(text, "x"));
  }
}
