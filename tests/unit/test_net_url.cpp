#include <doctest/doctest.h>

#include <map>
#include <string>

#include "net/url.hpp"

TEST_CASE("http and https URLs with a host are known, with their origin") {
  struct {
    std::string url;
    std::string origin;
  } const rows[] = {
      {"https://example.com", "https://example.com"},
      {"http://example.com/", "http://example.com"},
      {"https://example.com/a/b?c=d#e", "https://example.com"},
      {"HTTPS://Example.COM/Path", "https://example.com"},
      {"hTtP://a", "http://a"},
      {"https://example.com:8443/x", "https://example.com:8443"},
      {"https://example.com?x=/", "https://example.com"},
      {"https://example.com#x:", "https://example.com"},
      {"https://example.com//x", "https://example.com"},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
      {"http://[::1]:8080/x", "http://[::1]:8080"},
      {"http://[2001:DB8::1]", "http://[2001:db8::1]"},
      {"https://user@example.com/", "https://example.com"},
      {"https://user:secret@Example.com:1/", "https://example.com:1"},
      {"https://a@b@example.com/", "https://example.com"},  // the last @ counts
      {"https://example.com/@user", "https://example.com"},
      {"https://example.com/x:y@z", "https://example.com"},
      {"https://example.com?mail=a@b", "https://example.com"},
      {"https://example.com#a@b", "https://example.com"},
      {"https://example.com/%20", "https://example.com"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.url);
    CHECK(net::is_http_url(row.url));
    CHECK(net::origin(row.url) == row.origin);
  }
}

TEST_CASE("other schemes and no URLs have no origin") {
  for (const std::string url : {"",
                                "a",
                                "example.com",
                                "example.com/https://x",
                                "//example.com",
                                "/path",
                                "javascript:alert(1)",
                                "JavaScript:alert(1)//https://x",
                                "data:text/html,x",
                                "file:///etc/passwd",
                                "ftp://a",
                                "ws://a",
                                "httpss://a",
                                "xhttps://a",
                                "https",
                                "https:",
                                "https:/",
                                "https:/a",
                                "http//a",
                                "http:a",
                                "https:\\\\a",
                                "mailto:a@b",
                                " https://a",
                                "\thttps://a"}) {
    CAPTURE(url);
    CHECK(!net::is_http_url(url));
    CHECK(net::origin(url) == "");
  }
}

TEST_CASE("a URL needs a host") {
  for (const std::string url :
       {"http://", "https://", "https:///", "https:///x", "http:///x@y", "https://?x", "https://#x",
        "https://user@", "https://user:pw@/x"}) {
    CAPTURE(url);
    CHECK(!net::is_http_url(url));
    CHECK(net::origin(url) == "");
  }
}

TEST_CASE("a port alone is no host") {
  for (const std::string url : {"https://:80", "https://:80/x", "https://user@:80", "https://:"}) {
    CAPTURE(url);
    CHECK(!net::is_http_url(url));
  }
}

TEST_CASE("a colon wants a port behind it") {
  CHECK(!net::is_http_url("https://example.com:"));
  CHECK(!net::is_http_url("https://example.com:/x"));
}

TEST_CASE("white space and control characters are in no URL") {
  for (const std::string& url :
       {std::string("https://a b"), std::string("https://a/ b"), std::string("https://a/b "),
        std::string("https://a\n"), std::string("https://a/\r\nHost: b"),
        std::string("https://a\t/"), std::string("https://a\0b", 11), std::string("https://a/\x7F"),
        std::string("https://a/\x1B[0m")}) {
    CAPTURE(url);
    CHECK(!net::is_http_url(url));
  }
}

TEST_CASE("an origin holds nothing secret of a URL") {
  const std::string origin = net::origin(
      "https://user:PASSWORD@hooks.example.com/services/T0/B0/SECRET?token=TOKEN#FRAGMENT");
  CHECK(origin == "https://hooks.example.com");
}

TEST_CASE("percent encoding leaves only the unreserved characters") {
  struct {
    std::string text;
    std::string encoded;
  } const rows[] = {
      {"", ""},
      {"AZaz09-._~", "AZaz09-._~"},
      {"a b", "a%20b"},
      {"a+b", "a%2Bb"},
      {"50%", "50%25"},
      {"%41", "%2541"},
      {"/?#[]@!$&'()*,;=:", "%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2C%3B%3D%3A"},
      {"\r\n", "%0D%0A"},
      {std::string("\0", 1), "%00"},
      {"\xC3\xA4", "%C3%A4"},
      {"\xFF", "%FF"},
      {"\"<>\\^`{|}", "%22%3C%3E%5C%5E%60%7B%7C%7D"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(net::percent_encode(row.text) == row.encoded);
  }
}

TEST_CASE("a form's fields are decoded") {
  struct {
    std::string body;
    std::map<std::string, std::string> fields;
  } const rows[] = {
      {"", {{"", ""}}},
      {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
      {"a=1&a=2", {{"a", "1"}}},
      {"a=&a=2", {{"a", ""}}},
      {"a", {{"a", ""}}},
      {"=1", {{"", "1"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"a=1&&b=2&", {{"a", "1"}, {"", ""}, {"b", "2"}}},
      {"a+b=c+d", {{"a b", "c d"}}},
      {"%61=%2B%26%3d%25", {{"a", "+&=%"}}},
      {"a=%2541", {{"a", "%41"}}},  // once, not twice
      {"a=%C3%a4%FF", {{"a", "\xC3\xA4\xFF"}}},
      {"a=%00b", {{"a", std::string("\0b", 2)}}},
      {"a=%", {{"a", "%"}}},
      {"a=%4", {{"a", "%4"}}},
      {"a=%4&1=b", {{"a", "%4"}, {"1", "b"}}},
      {"a=%zz%4g%g4", {{"a", "%zz%4g%g4"}}},
      {"a=%%41", {{"a", "%A"}}},
      {"a=% 1%-1%+1%0x", {{"a", "% 1%-1% 1%0x"}}},
      {"a=1;b=2", {{"a", "1;b=2"}}},
      {std::string("a\0=b", 4), {{std::string("a\0", 2), "b"}}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    CHECK(net::form_fields(row.body) == row.fields);
  }
}
