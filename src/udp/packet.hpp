// One datagram of a test. All numbers in network byte order:
//
//   0  magic "OB" (2 bytes), version 1, kind (0 voice, 1 its echo)
//   4  client, from 0 (4)          8  cookie of the session (8)
//  16  sequence number, from 0 for each client, wraps (4)
//  20  when it was to be sent, ns since the session's beginning by the sender's clock (6)
//  26  when the server echoed it, ns since the beginning as the server knows it (6; 0 in voice)
//  32  nothing but zeros up to the packet's size
//
// 32 bytes are the RTP header and the 20 ms of G.729 that the smallest profile stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace udp {

inline constexpr size_t kHeaderSize = 32;
inline constexpr size_t kMostPacketSize = 65'507;  // what UDP over IPv4 takes

struct Packet {
  enum class Kind : uint8_t { voice = 0, echo = 1 };
  Kind kind = Kind::voice;
  uint32_t client = 0;
  uint64_t cookie = 0;
  uint32_t sequence = 0;
  int64_t intended_ns = 0;  // 0 to 2^48 - 1, 78 hours
  int64_t echoed_ns = 0;
};

// Writes the header; `to` has at least kHeaderSize bytes.
void write_packet(std::span<std::byte> to, const Packet& packet);

// Nothing for what is no packet of this tool: shorter than the header, another magic, version or
// kind.
std::optional<Packet> read_packet(std::span<const std::byte> from);

}  // namespace udp
