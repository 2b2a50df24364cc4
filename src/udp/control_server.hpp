// The server's side of the control channel: one thread for all connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "udp/address.hpp"
#include "udp/session.hpp"

namespace udp {

struct ControlServerOptions {
  int listen_fd = -1;                  // net::ListenSocket's
  std::vector<Cidr> allow{};           // empty: everybody
  bool answers_all = false;            // --server-respond: every session gets echoes
  size_t connections = 64;             // more are closed at once
  int64_t hello_ms = 5000;             // how long a connection may be silent before its hello
  size_t waiting = size_t{16} << 20U;  // bytes for one that does not read; it is closed then
};

// Serves until `stop` is true, which it looks at ten times a second; reports on their way get 5 s
// more. A connection that has said no hello within hello_ms, whose line is longer than 4 KiB before
// and 8 MiB after it, or that does not read what it is sent (16 MiB wait for it), is closed. What
// is no message is answered with an error and closed. Throws nothing.
void serve_control(const ControlServerOptions& options, Sessions& sessions,
                   const std::atomic<bool>& stop);

}  // namespace udp
