// Addresses and what stands in headers: URLs, connection strings, IP addresses and networks,
// Retry-After with its dates, the status of a gRPC call. Holds: what is written reads again, waits
// are a day at most, a password is read as it was.
#include <algorithm>

#include "azure/retry.hpp"
#include "base/text.hpp"
#include "eventstore/connection_string.hpp"
#include "eventstore/grpc.hpp"
#include "fuzz.hpp"
#include "net/base64.hpp"
#include "net/retry.hpp"
#include "net/url.hpp"
#include "net/websocket_upgrade.hpp"
#include "udp/address.hpp"
#include "udp/callers.hpp"

namespace {

constexpr int64_t kNow = 1'700'000'000;

void check_url(const std::string& text) {
  const std::string origin = net::origin(text);
  const std::string again = net::origin(origin);
  fuzz::expect(again == origin || again.empty(), "an origin has no other", origin);
  if (net::is_http_url(text)) {
    fuzz::expect(net::is_http_url(origin) && again == origin, "a URL has an origin", origin);
  }
  const std::string http = net::http_url_of(text);
  fuzz::expect(http.empty() || net::is_http_url(http), "a WebSocket is behind a URL", http);
  fuzz::expect(net::form_fields("a=" + net::percent_encode(text))["a"] == text,
               "what is encoded comes back", text);
  net::form_fields(text);
}

void check_base64(const std::string& text) {
  fuzz::expect(net::from_base64(net::base64(text)) == text, "base64 comes back", text);
  fuzz::expect(net::from_base64(net::base64url(text)) == text, "base64url comes back", text);
  const auto bytes = net::from_base64(text);
  fuzz::expect(!bytes || bytes->size() <= text.size(), "three bytes of four");
}

void check_connection(const std::string& text) {
  fuzz::takes([&] {
    const auto connection = eventstore::parse_connection_string(text, "--url");
    fuzz::expect(!connection.hosts.empty(), "a connection has a host");
    for (const auto& host : connection.hosts) {
      fuzz::expect(!host.host.empty() && host.port != 0, "a host has name and port", host.host);
    }
  });
  if (text.empty() || text.find('\0') != std::string::npos) return;
  std::string password;
  fuzz::takes([&] {
    const std::string whole = "esdb://ada:" + net::percent_encode(text) + "@h:2113?tls=false";
    password = eventstore::parse_connection_string(whole, "--url").password;
    fuzz::expect(password == text, "a password is read as it was");
  });
  if (text.find("hunter2") != std::string::npos) return;
  std::string why;
  const std::string broken = "esdb://ada:hunter2hunter2@" + text;
  if (!fuzz::takes([&] { eventstore::parse_connection_string(broken, "--url"); }, &why)) {
    fuzz::expect(why.find("hunter2") == std::string::npos, "no error holds a password", why);
  }
  const std::string unescaped = "esdb://ada:1?hunter2" + text + "@h";
  why.clear();
  fuzz::takes(
      [&] {
        const auto taken = eventstore::parse_connection_string(unescaped, "--url");
        why = base::join(taken.ignored, " ");
      },
      &why);
  fuzz::expect(why.find("hunter2") == std::string::npos, "nothing holds such a password", why);
}

void check_waits(const std::string& text) {
  net::HttpResponse reply = fuzz::reply_of(text);
  for (const char* name : {"retry-after", "retry-after-ms"}) {
    reply.headers.emplace_back(name, text.substr(0, text.find('\n')));
    for (const int64_t ms :
         {net::retry_after_header_ms(reply, kNow), azure::asked_wait_ms(reply, kNow),
          azure::wait_asked_ms(reply, kNow).value_or(0)}) {
      fuzz::expect(ms >= 0 && ms <= net::kLongestAskedMs, "a wait is a day at most", text);
    }
  }
  const auto status = eventstore::grpc_status(reply.headers, {{"grpc-message", text}});
  for (const std::string& words : {status.message, status.exception, status.leader_host}) {
    fuzz::expect(base::one_line(words) == words, "a status is safe to show", words);
  }
  eventstore::grpc_code_name(status.code);
}

void check_ip(const std::string& text) {
  if (const auto address = udp::read_address(text)) {
    fuzz::expect(udp::read_address(address->text()) == address, "an address comes back", text);
    const auto next = udp::address_after(*address, 1);
    fuzz::expect(!next || next->text() != address->text(), "another one follows", text);
  }
  fuzz::takes([&] {
    const udp::Cidr cidr = udp::read_cidr(text, "--allow");
    fuzz::expect(cidr.holds(cidr.network), "a network holds its own address", text);
  });
  fuzz::takes([&] {
    const udp::HostPort place = udp::read_host_port(text, 5001, "--server");
    fuzz::expect(!place.host.empty() && place.port != 0, "a place has host and port", text);
  });
  for (const bool ipv6 : {false, true}) {
    fuzz::takes([&] {
      const auto callers = udp::callers_from({.cidr = text}, 100, ipv6, {});
      const bool has_callers = !callers.empty() && callers.size() <= 100;
      fuzz::expect(has_callers || text.empty(), "a network has callers", text);
    });
    fuzz::takes([&] { udp::callers_from({.first = text, .count = 3}, 100, ipv6, {}); });
  }
  const std::string name = text.substr(0, 200);
  fuzz::expect(udp::fits_glob(name, name) || name.find_first_of("*?") != std::string::npos,
               "a name fits itself", name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  check_url(text);
  check_base64(text);
  check_connection(text);
  check_waits(text);
  check_ip(text);
  return 0;
}
