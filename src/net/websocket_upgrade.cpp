#include "net/websocket_upgrade.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "net/base64.hpp"
#include "net/url.hpp"

namespace net {

namespace {

constexpr const char* kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3

struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
};

// Status 0 when the first line is none of HTTP's.
Reply read_head(const std::string& head) {
  Reply reply;
  for (const std::string& line : base::split(head, '\n')) {
    const size_t colon = line.find(':');
    if (line.starts_with("HTTP/1.") && reply.status == 0 && reply.headers.empty()) {
      base::read_number(line.substr(std::min<size_t>(line.size(), 9), 3), reply.status);
    } else if (colon != std::string::npos) {
      reply.headers.emplace_back(base::lower_ascii(base::trim(line.substr(0, colon))),
                                 base::trim(line.substr(colon + 1)));
    }
  }
  return reply;
}

// All values of a header, joined by commas as HTTP allows.
std::string value_of(const Reply& reply, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : reply.headers) {
    if (key == name) values.push_back(value);
  }
  return base::join(values, ",");
}

bool has_token(const std::string& list, const std::string& token) {
  for (const std::string& item : base::split_list(list)) {
    if (base::lower_ascii(item) == token) return true;
  }
  return false;
}

base::ExitCode code_for(int status) {
  if (status == 401 || status == 403) return base::exit_refused;
  if (status == 429 || (status >= 500 && status <= 599)) return base::exit_retries_spent;
  return base::exit_malformed_reply;
}

}  // namespace

std::string http_url_of(std::string_view websocket_url) {
  const size_t colon = websocket_url.find("://");
  if (colon == std::string_view::npos) return "";
  const std::string scheme = base::lower_ascii(websocket_url.substr(0, colon));
  if (scheme != "ws" && scheme != "wss") return "";
  std::string url = scheme == "ws" ? "http" : "https";
  url += websocket_url.substr(colon);
  return is_http_url(url) ? url : "";
}

std::string new_websocket_key() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw base::Error(base::exit_our_bug, "OpenSSL gives no random bytes");
  }
  return base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string websocket_accept(const std::string& key) {
  const std::string text = key + kGuid;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw base::Error(base::exit_our_bug, "OpenSSL has no SHA-1");
  }
  return base64({reinterpret_cast<const char*>(digest.data()), size});
}

std::string upgrade_request(const std::string& http_url, const std::string& key,
                            const std::string& user_agent) {
  const std::string place = origin(http_url);
  const std::string host = place.substr(place.find("://") + 3);
  const size_t start = http_url.find_first_of("/?#", http_url.find("://") + 3);
  std::string path = start == std::string::npos ? "" : http_url.substr(start);
  path.resize(std::min(path.find('#'), path.size()));
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\nUser-Agent: {}\r\n\r\n",
      path, host, key, user_agent);
}

void check_upgrade_reply(const std::string& head, const std::string& key, const std::string& host) {
  const Reply reply = read_head(head);
  if (reply.status == 0) {
    throw base::Error(base::exit_malformed_reply, fmt::format("{} does not speak HTTP", host));
  }
  if (reply.status != 101) {
    throw base::Error(
        code_for(reply.status),
        fmt::format("{} opens no WebSocket, but answers HTTP {}", host, reply.status));
  }
  const char* wrong = nullptr;
  if (base::lower_ascii(value_of(reply, "upgrade")) != "websocket") wrong = "Upgrade";
  if (!has_token(value_of(reply, "connection"), "upgrade")) wrong = "Connection";
  if (value_of(reply, "sec-websocket-accept") != websocket_accept(key)) {
    wrong = "Sec-WebSocket-Accept";
  }
  if (!value_of(reply, "sec-websocket-extensions").empty()) wrong = "Sec-WebSocket-Extensions";
  if (!value_of(reply, "sec-websocket-protocol").empty()) wrong = "Sec-WebSocket-Protocol";
  if (wrong == nullptr) return;
  throw base::Error(
      base::exit_malformed_reply,
      fmt::format("{} answers the WebSocket's opening with a wrong {}; a proxy may stand between",
                  host, wrong));
}

}  // namespace net
