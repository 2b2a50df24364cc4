// An HTTP/1.1 server on libmicrohttpd: one thread of its own, whole requests in, answers out, at
// once or later from any thread. No TLS: a proxy in front does that.
//
// Refused before anyone sees them, and the connection closed: a body over the limit (413), a header
// that with its bookkeeping does not fit into 32 KiB (431: some 30 KiB or 300 fields; no reply when
// it is the query that has hundreds of parameters), a transfer coding other than chunked (501), two
// statements of a body's length or no Host (400), a request line that is none (no reply). A request
// that breaks off is never seen.
// Cut without a reply, at most a sixteenth later than said: a connection
// - whose first request is not there as a whole request_timeout_ms after the connection's start,
//   however busily its bytes drip;
// - whose later requests are not there that long after their request line;
// - that is idle that long, or whose client takes longer to take an answer.
// Memory: at most most_body_bytes and 32 KiB for each of most_connections, and the answers.
// Sources: RFC 9110, RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/http.hpp"

namespace net {

struct ServerRequest {
  std::string method;  // as it was sent: any
  std::string path;    // as it was sent, percent-encoded, without the query
  std::string query;   // as it was sent, what stands behind the first "?"
  Headers headers;     // names in lower case, in order
  std::string body;    // without its chunks
};

// The value of a request's header (name in lower case), the first of several; "" when it is not
// there.
std::string header(const ServerRequest& request, const std::string& name);

// Content-Length, Date and Connection are set by the server; a HEAD request gets no body. A status
// outside of 200 to 999 or a header with a line break in it is sent as 500 without a body. The
// headers must fit into what the request has left of its 32 KiB, else the connection is closed.
struct ServerResponse {
  int status = 200;
  Headers headers;
  std::string body;
};

// A reply in plain text.
ServerResponse text_response(int status, const std::string& text);

// To be called once, from any thread, also after the server's end. Calling it again or when the
// client has gone does nothing. When the last copy goes uncalled, the client gets 500.
using Answer = std::function<void(ServerResponse)>;

// Called on the server's thread, so it must be quick and may not end or drain the server. What it
// throws is answered with 500.
using Handle = std::function<void(ServerRequest, Answer)>;

struct ServerOptions {
  std::string address = "127.0.0.1";  // IPv4 or IPv6, in digits
  uint16_t port = 0;                  // 0: any
  size_t most_body_bytes = size_t{1} << 20U;
  int64_t request_timeout_ms = 10'000;
  unsigned most_connections = 1'000;  // further ones are closed at once
};

class ServerLoop;

class Server {
 public:
  // Listens and serves from here on. Throws as listen_at() does.
  Server(const ServerOptions& options, Handle handle);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Closes all connections at once; `handle` is not called any more when it returns.
  ~Server();

  uint16_t port() const;

  // From now on takes no new connections and closes the others after their next answer. Waits, at
  // most that long, until every request that was given to `handle` is answered and the answer sent
  // (or its client gone); then true, and no further request reaches `handle` (they get 503).
  bool drain(int64_t wait_ms);

 private:
  std::unique_ptr<ServerLoop> loop_;
};

std::string microhttpd_version();

}  // namespace net
