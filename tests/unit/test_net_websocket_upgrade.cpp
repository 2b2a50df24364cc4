#include <doctest/doctest.h>

#include <string>

#include "base/error.hpp"
#include "net/websocket_upgrade.hpp"

namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // with its answer from RFC 6455, 1.3
const std::string kGood =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

int code_of(const std::string& head) {
  try {
    net::check_upgrade_reply(head, kKey, "https://host");
    return 0;
  } catch (const base::Error& error) {
    CHECK(std::string(error.what()).find("https://host") != std::string::npos);
    return error.code();
  }
}

std::string without(const std::string& text, const std::string& part) {
  const size_t at = kGood.find(part);
  REQUIRE(at != std::string::npos);
  return std::string(text).erase(at, part.size());
}

}  // namespace

TEST_CASE("the accept of the RFC's own key") {
  CHECK(net::websocket_accept(kKey) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("keys are 16 bytes in base64, each another") {
  const std::string key = net::new_websocket_key();
  CHECK(key.size() == 24);
  CHECK(key.ends_with("=="));
  CHECK(key != net::new_websocket_key());
}

TEST_CASE("which replies open a WebSocket") {
  struct Row {
    std::string head;
    int code;
  };
  const Row rows[] = {
      {kGood, 0},
      {without(kGood, "Upgrade: WebSocket\r\n"), 76},
      {without(kGood, ", upgrade"), 76},
      {without(kGood, "s3p"), 76},
      {kGood + "\r\nSec-WebSocket-Extensions: permessage-deflate", 76},
      {kGood + "\r\nSec-WebSocket-Protocol: chat", 76},
      {"HTTP/1.1 200 OK" + kGood.substr(kGood.find('\r')), 76},
      {"HTTP/1.1 302 Found\r\nLocation: wss://elsewhere", 76},
      {"HTTP/1.1 401 Unauthorized", 77},
      {"HTTP/1.1 403 Forbidden", 77},
      {"HTTP/1.1 404 Not Found", 76},
      {"HTTP/1.1 429 Too Many Requests", 75},
      {"HTTP/1.1 503 Service Unavailable", 75},
      {"SSH-2.0-OpenSSH_9.2", 76},
      {"HTTP/1.1", 76},
      {"", 76},
  };
  for (const Row& row : rows) {
    CAPTURE(row.head);
    CHECK(code_of(row.head) == row.code);
  }
}

TEST_CASE("the URL over HTTP") {
  CHECK(net::http_url_of("wss://a.example/x?t=1") == "https://a.example/x?t=1");
  CHECK(net::http_url_of("WS://a.example:8080") == "http://a.example:8080");
  for (const char* url : {"https://a.example", "wss:/a", "wss://", "wss://a b", "wss://a\r\nX: y",
                          "ftp://a", "a.example", ""}) {
    CAPTURE(url);
    CHECK(net::http_url_of(url).empty());
  }
}

TEST_CASE("the request has path and query, and neither fragment nor user") {
  const std::string request =
      net::upgrade_request("https://u:p@a.example:444/link/?ticket=1#part", kKey, "agent/1");
  CHECK(request ==
        "GET /link/?ticket=1 HTTP/1.1\r\nHost: a.example:444\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nUser-Agent: agent/1\r\n\r\n");
  CHECK(net::upgrade_request("http://a?t=1", kKey, "").starts_with("GET /?t=1 HTTP/1.1\r\n"));
  CHECK(net::upgrade_request("http://a", kKey, "").starts_with("GET / HTTP/1.1\r\n"));
}
