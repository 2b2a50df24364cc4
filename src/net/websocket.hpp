// A client's WebSocket (RFC 6455) as a value: what stands behind it is a parameter, so that
// protocols on it are tested without a network. connect_websocket() is the one real one, over a
// connection of libcurl (TLS, CA certificates and proxies as with HTTP) and with wslay's frames.
//
// Text messages only: binary ones are dropped. Pings are answered while receive() runs. No
// extension and no subprotocol is asked for. One thread uses a socket. SIGPIPE must be ignored, as
// base::exit_on_signals() does.
//
// Errors are base::Error: 75 when the connection ended, broke or takes nothing, 76 when the other
// side breaks the protocol, sends a message over the limit or text that is not UTF-8. After an
// error the socket is good for nothing. No error text holds more of the URL than the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/curl.hpp"

namespace net {

struct WebSocket {
  // The next whole message, fragments put together. Nothing when none came within wait_ms (-1: no
  // limit; 0: only what is there), and as soon as a stop is asked for (base/signals.hpp) or one of
  // the descriptors in `wake` is readable. What came before an error is given first.
  std::function<std::optional<std::string>(int64_t wait_ms, const std::vector<int>& wake)> receive;
  std::function<void(const std::string& text)> send_text;
  std::function<void()> send_ping;
  // Says goodbye (code 1000) and waits a second at most for the other side's. Throws nothing.
  std::function<void()> close;
  // Grows whenever anything comes, pings and pongs too: how to see that the other side lives.
  std::function<int64_t()> received_bytes;
  // Becomes readable when something may be there: a `wake` of another socket's receive(), after
  // this one's gave nothing.
  int descriptor = -1;
};

struct WebSocketOptions {
  CurlOptions curl;
  int64_t open_timeout_ms = 20'000;  // names, TCP, proxy, TLS and the upgrade
  int64_t send_timeout_ms = 10'000;  // for each message
  size_t most_message_bytes = size_t{1} << 20U;
};

// Opens ws://… or wss://… Throws 78 for another URL or unusable CA certificates, 69 when nobody is
// reached or TLS fails, 75 when no answer comes in time or it is a 429 or 5xx, 77 for 401 and 403,
// 76 for any other answer (redirects too) and one whose headers are longer than 16 KiB, 130 when a
// stop is asked for meanwhile.
WebSocket connect_websocket(const std::string& url, const WebSocketOptions& options);

}  // namespace net
