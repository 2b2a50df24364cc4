// The server's data thread: drains the socket once a nap, hands packets to their sessions,
// and echoes those whose session wants it: to where they came from, never more bytes than came.
#pragma once

#include <atomic>
#include <vector>

#include "udp/address.hpp"
#include "udp/session.hpp"
#include "udp/socket.hpp"

namespace udp {

struct ServingOptions {
  int fd = -1;                 // open_server()'s
  std::vector<Cidr> allow;     // empty: everybody
  int64_t nap_ns = 1'000'000;  // without echoes; what comes in one must fit the socket's queue
};

// Runs until `stop`; waits without waking up while no session is open. Throws nothing.
void serve_packets(const ServingOptions& options, Sessions& sessions,
                   const std::atomic<bool>& stop);

}  // namespace udp
