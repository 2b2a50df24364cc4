#include <doctest/doctest.h>

#include <string>

#include "net/hmac.hpp"

namespace {

std::string repeated(size_t times, char c) {
  return std::string(times, c);
}

}  // namespace

TEST_CASE("HMAC-SHA-256 is that of RFC 4231") {
  std::string counted;  // 0x01 to 0x19
  for (char c = 1; c <= 0x19; ++c) counted += c;
  struct {
    std::string key;
    std::string data;
    std::string hex;
  } const rows[] = {
      {repeated(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {repeated(20, '\xaa'), repeated(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counted, repeated(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {repeated(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {repeated(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.data);
    CHECK(net::hmac_sha256_hex(row.key, row.data) == row.hex);
  }
}

TEST_CASE("an empty key and empty data have an HMAC too") {
  CHECK(net::hmac_sha256_hex({}, {}) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("bytes are compared to the last, zero bytes too") {
  CHECK(net::equal_in_constant_time("", ""));
  CHECK(net::equal_in_constant_time("abc", "abc"));
  CHECK(net::equal_in_constant_time({"a\0b", 3}, {"a\0b", 3}));
  CHECK(!net::equal_in_constant_time({"a\0b", 3}, {"a\0c", 3}));
  CHECK(!net::equal_in_constant_time("abc", "abd"));
  CHECK(!net::equal_in_constant_time("abc", "Abc"));
  CHECK(!net::equal_in_constant_time("abc", "ab"));
  CHECK(!net::equal_in_constant_time("abc", "abcd"));
  CHECK(!net::equal_in_constant_time("abc", ""));
}
