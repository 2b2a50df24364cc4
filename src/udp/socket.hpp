// UDP sockets as the two sides need them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "udp/address.hpp"
#include "udp/callers.hpp"

namespace udp {

// How many descriptors may be open, after the soft limit was raised to the hard one.
uint64_t raise_descriptor_limit();

struct SocketOptions {
  int dscp = 0;               // 0 to 63
  bool may_fragment = false;  // else packets over the MTU fail (EMSGSIZE)
};

// A caller's socket: bound to its address and interface, connected to the server, not blocking.
// Throws 78 naming what can't be bound, 69 when the server can't be reached from there.
int open_caller(const From& from, const Address& server, const SocketOptions& options);

// For more callers than descriptors: bound to no address, each packet names its own source.
int open_shared(bool is_ipv6, const SocketOptions& options);

// The MTU of the way to the connected side: IP_MTU; 0 when it is not known.
int mtu_of(int fd, bool is_ipv6);

struct ServerSocket {
  int fd;
  uint64_t buffer_bytes;  // what the kernel gave for the queue
};
// Bound, not blocking, with the largest queue to be had and time stamps. Throws 69 as
// net::listen_at() does.
ServerSocket open_server(const Address& at, uint64_t wanted_buffer_bytes);

// Whether packets of a server's socket come with the address that they were sent to, which costs a
// little: echoes have to come from there.
void set_destinations(int fd, bool is_on);

// Packets that the kernel dropped as this socket's queue was full (SO_MEMINFO).
uint64_t queue_drops(int fd);

}  // namespace udp
