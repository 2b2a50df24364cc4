// The bytes under an HTTP/2 connection: TCP, with TLS on it or not. Names are resolved and the
// addresses tried by libcurl (c-ares behind it); no proxy is used, whatever the environment says.
// Internal to src/net.
//
// One thread uses a socket. Once it is connected no function waits.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "net/http2.hpp"
#include "net/http2_tls.hpp"
#include "net/tcp.hpp"

namespace net {

class Http2Socket {
 public:
  // Connects until a time of the monotonic clock. Throws 69 when nobody is reached in time or TLS
  // fails, 76 when the server speaks no HTTP/2, 78 for what can't be used, 130 for a stop.
  Http2Socket(const std::string& host, uint16_t port, const Http2Options& options,
              int64_t until_ms);

  // Bytes that came, at most `most`; 0 when none are there. When it gives less than `most`, no more
  // are there. Throws 75 when the connection is over, after all that came before.
  size_t read(char* to, size_t most);
  // How many of the bytes were taken, 0 when it takes none now. Throws nothing: it takes none any
  // more once the connection broke; read() says why, or broken() when nothing is left to read.
  size_t write(std::string_view bytes);
  const std::optional<base::Error>& broken() const { return broken_; }
  // Says goodbye to the other side's TLS.
  void close();

  int descriptor() const { return socket_.fd; }
  // What to poll for.
  short events_to_read() const { return events_to_read_; }
  short events_to_write() const { return events_to_write_; }

 private:
  void shake_hands(const CaLocation& ca, int64_t until_ms);
  size_t read_tls(char* to, size_t most);
  size_t write_tls(std::string_view bytes);
  base::Error broken_tcp(int error) const;

  std::string place_;
  base::Descriptor socket_;
  Tls tls_{nullptr, SSL_free};
  short events_to_read_ = POLLIN;
  short events_to_write_ = POLLOUT;
  std::optional<base::Error> over_;    // why nothing more comes
  std::optional<base::Error> broken_;  // why nothing more can be written
};

}  // namespace net
