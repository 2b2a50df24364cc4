// A batch of datagrams taken from a socket by one system call: their first bytes, how long they
// were, where from, when, and which of our addresses they came to.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "udp/address.hpp"
#include "udp/packet.hpp"

namespace udp {

class Datagrams {
 public:
  explicit Datagrams(size_t most);

  // What is there, without waiting; 0 when nothing is.
  size_t receive(int fd);

  std::span<const std::byte> head(size_t i) const;              // at most kHeaderSize bytes
  size_t size(size_t i) const { return messages_[i].msg_len; }  // in full
  const Address& from(size_t i) const { return slots_[i].from; }
  int64_t stamp_ns(size_t i) const;  // by the wall clock; 0 without one
  // Sends these back to where they came from, from the address they came to, with new heads and as
  // long as they were; leaves in `which` those that the kernel took.
  void reply(int fd, std::vector<size_t>& which);
  std::span<std::byte> head_to_change(size_t i) { return slots_[i].head; }

 private:
  struct Slot {
    std::array<std::byte, kHeaderSize> head;
    Address from;
    iovec parts[2];
    alignas(cmsghdr) std::array<std::byte, 128> control;
  };
  std::vector<Slot> slots_;
  std::vector<mmsghdr> messages_;
  std::vector<mmsghdr> replies_;
};

}  // namespace udp
