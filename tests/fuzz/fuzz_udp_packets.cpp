// Datagrams that come to udp-load, one behind the other with two bytes of length before each.
// Holds: a packet is written as it was read; what a receiver counts adds up.
#include <array>

#include "fuzz.hpp"
#include "udp/packet.hpp"
#include "udp/session.hpp"

namespace {

constexpr uint32_t kClients = 3;

void check_header(std::span<const std::byte> bytes, const udp::Packet& packet) {
  std::array<std::byte, udp::kHeaderSize> written{};
  udp::write_packet(written, packet);
  const auto header = bytes.first(udp::kHeaderSize);
  const bool is_same = std::equal(written.begin(), written.end(), header.begin());
  fuzz::expect(is_same, "a header is written as it was read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const std::byte> left = std::as_bytes(std::span(data, size));
  udp::Receiver receiver(kClients, 50, 10, 60);
  const udp::Address from = *udp::read_address("10.8.0.2");
  uint64_t counted = 0;
  int64_t now_ns = 0;
  while (left.size() > 2) {
    const size_t high = std::to_integer<size_t>(left[0]);
    const size_t length = std::min(high << 8U | std::to_integer<size_t>(left[1]), left.size() - 2);
    const auto bytes = left.subspan(2, length);
    left = left.subspan(2 + length);
    now_ns += 20'000'000;
    const auto packet = udp::read_packet(bytes);
    if (!packet) continue;
    check_header(bytes, *packet);
    const int64_t transit_ns = now_ns - packet->intended_ns;
    counted += receiver.take(*packet, transit_ns, 1'000, from).is_counted ? 1 : 0;
    receiver.second(packet->intended_ns / 1'000'000'000);
  }
  const udp::Received result = receiver.result();
  uint64_t received = 0;
  for (const udp::FlowResult& flow : result.flows) {
    received += flow.counts.received + flow.counts.duplicated + flow.counts.stale;
  }
  fuzz::expect(result.flows.size() == kClients && received == counted, "what is counted adds up");
  return 0;
}
