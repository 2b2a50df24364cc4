#include <doctest/doctest.h>

#include "net/loopback.hpp"

TEST_CASE("this machine's loopback is known, and what only looks like it is not") {
  for (const char* host :
       {"localhost", "LOCALHOST", "slack.localhost", "127.0.0.1", "127.9.8.7", "::1", "[::1]"}) {
    CAPTURE(host);
    CHECK(net::is_loopback(host));
  }
  for (const char* host : {"", "example.com", "localhost.example.com", "127.example.com", "127.1",
                           "1.127.0.0", "::2", "[::ffff:10.0.0.1]", "0.0.0.0", "notlocalhost"}) {
    CAPTURE(host);
    CHECK_FALSE(net::is_loopback(host));
  }
}

TEST_CASE("in the clear is http to another machine") {
  for (const char* url : {"http://example.com", "HTTP://Example.com:8080/x", "http://10.0.0.1/",
                          "http://127.0.0.1@example.com/", "http://[2001:db8::1]:80/x",
                          "http://169.254.169.254/metadata"}) {
    CAPTURE(url);
    CHECK(net::is_in_clear(url));
  }
  for (const char* url :
       {"https://example.com", "http://localhost:8080/x", "http://127.0.0.1/", "http://[::1]:80/x",
        "http://user:x@localhost/", "", "ftp://example.com"}) {
    CAPTURE(url);
    CHECK_FALSE(net::is_in_clear(url));
  }
}
