// A packet through a socket that many callers share: it names its own source address and interface
// (IP_PKTINFO).
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <span>

#include "udp/callers.hpp"

namespace udp {

class SharedPacket {
 public:
  // The bytes are read when it is sent, and must live as long.
  SharedPacket(std::span<std::byte> bytes, const Address& to)
      : part_{bytes.data(), bytes.size()}, to_(to) {}

  // False, with errno, when the kernel refuses it.
  bool send(int fd, const From& from);

 private:
  template <typename Info>
  size_t put(int level, int type, const Info& info);

  iovec part_;
  Address to_;
  alignas(cmsghdr) std::array<std::byte, 64> control_{};
};

}  // namespace udp
