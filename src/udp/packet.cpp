#include "udp/packet.hpp"

namespace udp {

namespace {

constexpr uint64_t kMagic = 0x4f42;  // "OB"
constexpr uint64_t kVersion = 1;

void put(std::span<std::byte> to, size_t at, size_t bytes, uint64_t number) {
  for (size_t i = 0; i < bytes; ++i) {
    to[at + i] = static_cast<std::byte>(number >> (8 * (bytes - 1 - i)));
  }
}

uint64_t get(std::span<const std::byte> from, size_t at, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<uint64_t>(from[at + i]);
  return number;
}

}  // namespace

void write_packet(std::span<std::byte> to, const Packet& packet) {
  put(to, 0, 2, kMagic);
  put(to, 2, 1, kVersion);
  put(to, 3, 1, static_cast<uint64_t>(packet.kind));
  put(to, 4, 4, packet.client);
  put(to, 8, 8, packet.cookie);
  put(to, 16, 4, packet.sequence);
  put(to, 20, 6, static_cast<uint64_t>(packet.intended_ns));
  put(to, 26, 6, static_cast<uint64_t>(packet.echoed_ns));
}

std::optional<Packet> read_packet(std::span<const std::byte> from) {
  if (from.size() < kHeaderSize) return std::nullopt;
  const uint64_t kind = get(from, 3, 1);
  if (get(from, 0, 2) != kMagic || get(from, 2, 1) != kVersion || kind > 1) return std::nullopt;
  return Packet{.kind = kind == 0 ? Packet::Kind::voice : Packet::Kind::echo,
                .client = static_cast<uint32_t>(get(from, 4, 4)),
                .cookie = get(from, 8, 8),
                .sequence = static_cast<uint32_t>(get(from, 16, 4)),
                .intended_ns = static_cast<int64_t>(get(from, 20, 6)),
                .echoed_ns = static_cast<int64_t>(get(from, 26, 6))};
}

}  // namespace udp
