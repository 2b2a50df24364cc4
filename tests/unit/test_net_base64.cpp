#include <doctest/doctest.h>

#include <string>

#include "net/base64.hpp"

TEST_CASE("base64: the vectors of RFC 4648, section 10") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(net::base64(bytes) == text);
    CHECK(net::from_base64(text) == bytes);
  }
}

TEST_CASE("base64: both alphabets, no padding, line breaks") {
  const std::string bytes("\xfb\xff\xfe\0\x01", 5);
  CHECK(net::base64(bytes) == "+//+AAE=");
  CHECK(net::base64url(bytes) == "-__-AAE");
  CHECK(net::from_base64("-__-AAE") == bytes);
  CHECK(net::from_base64("+//+\r\n AAE=\n") == bytes);
}

TEST_CASE("base64: what is none") {
  for (const char* text : {"A", "Zm9v!", "Zg==Zg==", "Zm9vY="}) CHECK(!net::from_base64(text));
}

TEST_CASE("base64: more than one part comes back whole") {
  std::string bytes;
  for (size_t i = 0; i < (size_t{7} << 20U) + 1; ++i) bytes += static_cast<char>(i * 31 % 251);
  CHECK(net::from_base64(net::base64(bytes)) == bytes);
}
