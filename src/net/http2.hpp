// A client's HTTP/2 connection (RFC 9113) with calls that stay open, as gRPC wants them. A thread
// of its own reads and writes; it answers PINGs whatever the callers do, and never holds more of a
// call than its window: when nobody reads, the other side has to wait.
//
// h2c by prior knowledge, or TLS with ALPN "h2". Every name is resolved by c-ares or libc's files.
// Connections are direct: HTTP_PROXY and its like mean nothing here.
// SIGPIPE must be ignored, as base::exit_on_signals() does.
//
// Errors are base::Error: 69 when nobody is reached or TLS fails, 75 when the connection broke,
// timed out or was ended, or the call was reset, 76 when the other side breaks the protocol, 78 for
// unusable certificates, 130 when a stop is asked for while connecting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/ca.hpp"
#include "net/http.hpp"

namespace net {

enum class Http2Came { data, nothing, end };

// One request and its reply. One thread uses a call. Destroyed before its end, it is cancelled.
class Http2Call {
 public:
  Http2Call() = default;
  Http2Call(const Http2Call&) = delete;
  Http2Call& operator=(const Http2Call&) = delete;
  virtual ~Http2Call() = default;

  // Appends what has come of the reply's body, waiting up to wait_ms when nothing is there. What
  // came before an error or the end is given first.
  virtual Http2Came read(std::string& to, int64_t wait_ms) = 0;
  // Queues more of the request's body, for calls that were opened with an open end. Dropped when
  // the call is over; read() tells why.
  virtual void write(std::string_view bytes) = 0;
  // Nothing more is written.
  virtual void finish() = 0;
  // The reply's, names in lower case, ":status" too; complete once read() gave data or the end. In
  // the end what came behind the body stands in trailers().
  virtual Headers headers() const = 0;
  virtual Headers trailers() const = 0;
};

struct Http2Options {
  bool tls = true;
  bool verify = true;                   // the certificate and its name
  CaLocation ca;                        // whom to trust
  std::string client_certificate_file;  // PEM; "" for none
  std::string client_key_file;          // PEM
  int64_t connect_timeout_ms = 10'000;  // names, TCP, TLS, SETTINGS
  // A PING after so long without a sign of life, and the end so long after it without an answer;
  // -1: none.
  int64_t keepalive_interval_ms = 10'000;
  int64_t keepalive_timeout_ms = 10'000;
  size_t window_bytes = size_t{1} << 20U;  // of each call
};

class Http2Link;

class Http2Connection {
 public:
  // Connects.
  Http2Connection(const std::string& host, uint16_t port, const Http2Options& options);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  // Ends all calls; they may live longer, but give errors.
  ~Http2Connection();

  // POSTs to a path with these headers (names in lower case, none of the pseudo-headers) and the
  // first bytes of the body; with `is_whole` the request ends there. From any thread. Throws 75
  // when the connection broke or the server is going away.
  std::unique_ptr<Http2Call> call(const std::string& path, const Headers& headers,
                                  std::string_view body, bool is_whole);

 private:
  std::shared_ptr<Http2Link> link_;
};

std::string nghttp2_version_text();

}  // namespace net
