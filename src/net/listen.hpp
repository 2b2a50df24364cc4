// A TCP socket that takes connections.
#pragma once

#include <cstdint>
#include <string>

namespace net {

struct ListenSocket {
  int fd;         // not blocking, closed on exec; the caller closes it
  uint16_t port;  // the one that was given, or the one the kernel chose for 0
};

// Listens at an IPv4 or IPv6 address in digits ("::" takes IPv4 too where the system is set so).
// Throws 64 when it is no address, else 69; names address, port, reason and remedy.
ListenSocket listen_at(const std::string& address, uint16_t port);

}  // namespace net
