#include <doctest/doctest.h>

#include <array>

#include "udp/packet.hpp"

using udp::Packet;

TEST_CASE("a datagram's bytes stand where the header says") {
  std::array<std::byte, udp::kHeaderSize> bytes{};
  udp::write_packet(bytes, {.kind = Packet::Kind::echo,
                            .client = 0x01020304,
                            .cookie = 0x1112131415161718,
                            .sequence = 0xfffffffe,
                            .intended_ns = 0x212223242526,
                            .echoed_ns = 0x313233343536});
  const std::array<int, udp::kHeaderSize> expected = {
      0x4f, 0x42, 1,    1,    1,    2,    3,    4,    0x11, 0x12, 0x13,
      0x14, 0x15, 0x16, 0x17, 0x18, 0xff, 0xff, 0xff, 0xfe, 0x21, 0x22,
      0x23, 0x24, 0x25, 0x26, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36};
  for (size_t i = 0; i < bytes.size(); ++i) CHECK(static_cast<int>(bytes[i]) == expected[i]);
  const auto packet = udp::read_packet(bytes);
  REQUIRE(packet);
  CHECK(packet->kind == Packet::Kind::echo);
  CHECK(packet->client == 0x01020304);
  CHECK(packet->cookie == 0x1112131415161718);
  CHECK(packet->sequence == 0xfffffffe);
  CHECK(packet->intended_ns == 0x212223242526);
  CHECK(packet->echoed_ns == 0x313233343536);
}

TEST_CASE("what is no packet of this tool is none") {
  std::array<std::byte, udp::kHeaderSize> good{};
  udp::write_packet(good, {.client = 1, .cookie = 2});
  CHECK(udp::read_packet(good));
  CHECK_FALSE(udp::read_packet(std::span(good).first(udp::kHeaderSize - 1)));
  CHECK_FALSE(udp::read_packet({}));
  for (size_t at = 0; at < 4; ++at) {
    auto bad = good;
    bad[at] ^= std::byte{0x80};
    CHECK_FALSE(udp::read_packet(bad));
  }
}
