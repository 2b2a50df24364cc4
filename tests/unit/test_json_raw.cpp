#include <doctest/doctest.h>

#include <string>

#include "base/error.hpp"
#include "json/raw.hpp"

namespace {

// "name=raw[string];" for each member, or the error.
std::string members(const std::string& text) {
  std::string all;
  try {
    json::each_member(text, "the line", [&](const json::RawMember& member) {
      all.append(member.name).append("=").append(member.raw);
      if (member.is_string) all.append("[").append(member.string).append("]");
      all += ';';
    });
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
  return all;
}

}  // namespace

TEST_CASE("what is JSON, and what is not") {
  struct {
    std::string text;
    bool is;
  } const rows[] = {
      {"{}", true},
      {" [1, 2]\n", true},
      {"\"text\"", true},
      {"null", true},
      {"0", true},
      {"-0.5e-7", true},
      {R"({"n":123456789012345678901234567890})", true},
      {R"({"n":-123456789012345678901234567890.5E+999,"m":"01 \" -"})", true},
      {"[1e999]", true},
      {"\"\xC3\xA4\"", true},
      {R"("\ud83d\ude00")", true},
      {std::string(900, '[') + std::string(900, ']'), true},
      {"", false},
      {" ", false},
      {"{", false},
      {"{} {}", false},
      {"{} x", false},
      {"{\"a\":1,}", false},
      {"{a:1}", false},
      {"[01]", false},
      {"[1.]", false},
      {"[.5]", false},
      {"[1e]", false},
      {"[+1]", false},
      {"[--1]", false},
      {"[12345678901234567890123,01]", false},
      {"[12345678901234567890123 4]", false},
      {"[12345678901234567890123.]", false},
      {"[12345678901234567890123-5]", false},
      {"12345678901234567890123\"", false},
      {"[12345678901234567890123,\"\\", false},
      {"nul", false},
      {"'a'", false},
      {"NaN", false},
      {"\"a", false},
      {"\"\n\"", false},
      {R"("\x")", false},
      {R"("\ud83d")", false},
      {"\"\xFF\"", false},
      {std::string("[1\0]", 4), false},
      {"\xEF\xBB\xBF{}x", false},
      {std::string(100'000, '['), false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text.substr(0, 100));
    CHECK(json::is_json(row.text) == row.is);
  }
}

TEST_CASE("a document that is cut anywhere is no JSON") {
  const std::string text = R"({"a":[1,-2.5e3,"x\"\u00e4"],"b":{"c":null,"d":[true,false]}})";
  REQUIRE(json::is_json(text));
  for (size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(!json::is_json(text.substr(0, length)));
  }
}

TEST_CASE("a large document is judged as a small one is") {
  const std::string many = std::string(70'000, ' ') + "[12345678901234567890123]";
  CHECK(json::is_json(many));
  CHECK(!json::is_json(many + "]"));
}

TEST_CASE("members come with their own bytes") {
  CHECK(members("{}") == "");
  CHECK(members(R"( {"a" : 1 , "b":"x\n" , "c":{ "d":[1, 2] } } )") ==
        "a=1;b=\"x\\n\"[x\n];c={ \"d\":[1, 2] };");
  CHECK(members(R"({"n":123456789012345678901234567890,"m":1.50,"t":true,"z":null})") ==
        "n=123456789012345678901234567890;m=1.50;t=true;z=null;");
  CHECK(members(R"({"\u0061":"","a":"\"}{"})") == R"(a=""[];a="\"}{"["}{];)");
}

TEST_CASE("what is no object is refused with its place") {
  CHECK(members("[1]") == "the line is no JSON object");
  CHECK(members("1") == "the line is no JSON object");
  CHECK(members("") == "the line is empty");
  CHECK(members("{\"a\":1,\n\"b\":}").starts_with("the line is not JSON: line 2, column 5"));
}
