#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "json/append.hpp"
#include "json/raw.hpp"
#include "json/write.hpp"

TEST_CASE("texts appended are escaped as those of a tree are") {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  for (const std::string& text :
       {std::string(), std::string("plain"), std::string("\"\\/\n\r\t\b\f"), std::string("a\0b", 3),
        std::string("\xC3\xA4\xF0\x9F\x98\x80"), std::string("\xC3"), every}) {
    std::string appended;
    json::append_string(appended, text);
    CHECK(appended == json::write(text));
  }
}

TEST_CASE("an object is appended a member at a time") {
  std::string to = "before ";
  json::ObjectAppender object(to);
  object.text("text", "a\"b");
  object.number("least", 0);
  object.number("most", UINT64_MAX);
  object.truth("yes", true);
  object.truth("no", false);
  json::ObjectAppender inner = object.object("inner");
  inner.close();
  inner = object.object("other");
  inner.text("a", "");
  inner.number("b", 7);
  inner.close();
  object.json("json", "{\n  \"a\": [1,\r\n 2]\n}");
  object.close();
  CHECK(to ==
        R"(before {"text":"a\"b","least":0,"most":18446744073709551615,"yes":true,"no":false,)"
        R"("inner":{},"other":{"a":"","b":7},"json":{   "a": [1,   2] }})");
  CHECK(json::is_json(to.substr(7)));
}
