#include "udp/datagrams.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace udp {

namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
const std::array<std::byte, kMostPacketSize> kZeros{};

// Leaves only the destination, which becomes the source; how long it is then.
size_t keep_packet_info(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    const bool is_v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO;
    const bool is_v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO;
    if (!is_v4 && !is_v6) continue;
    if (is_v4) {  // the address that the packet was sent to, whatever the interface
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      info.ipi_spec_dst = info.ipi_addr;
      info.ipi_ifindex = 0;
      std::memcpy(CMSG_DATA(part), &info, sizeof info);
    }
    const size_t bytes = CMSG_SPACE(part->cmsg_len - CMSG_LEN(0));
    std::memmove(message.msg_control, part, part->cmsg_len);
    return bytes;
  }
  return 0;
}

}  // namespace

Datagrams::Datagrams(size_t most) : slots_(most), messages_(most) {
  for (size_t i = 0; i < most; ++i) {
    Slot& slot = slots_[i];
    slot.parts[0] = {.iov_base = slot.head.data(), .iov_len = slot.head.size()};
    msghdr& message = messages_[i].msg_hdr;
    message.msg_name = slot.from.get();
    message.msg_iov = slot.parts;
    message.msg_iovlen = 1;
    message.msg_control = slot.control.data();
  }
}

size_t Datagrams::receive(int fd) {
  for (mmsghdr& message : messages_) {
    message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    message.msg_hdr.msg_controllen = sizeof(Slot::control);
  }
  const int count = ::recvmmsg(fd, messages_.data(), static_cast<unsigned>(messages_.size()),
                               MSG_DONTWAIT | MSG_TRUNC, nullptr);
  return count < 0 ? 0 : static_cast<size_t>(count);
}

std::span<const std::byte> Datagrams::head(size_t i) const {
  return {slots_[i].head.data(), std::min<size_t>(messages_[i].msg_len, kHeaderSize)};
}

int64_t Datagrams::stamp_ns(size_t i) const {
  msghdr message = messages_[i].msg_hdr;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return stamp.tv_sec * kNsPerS + stamp.tv_nsec;
  }
  return 0;
}

void Datagrams::reply(int fd, std::vector<size_t>& which) {
  replies_.clear();
  for (const size_t i : which) {
    Slot& slot = slots_[i];
    // sendmmsg only reads; NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    slot.parts[1] = {.iov_base = const_cast<std::byte*>(kZeros.data()),
                     .iov_len = std::min(size(i), kMostPacketSize) - kHeaderSize};
    mmsghdr reply = messages_[i];
    reply.msg_hdr.msg_iovlen = 2;
    reply.msg_hdr.msg_controllen = keep_packet_info(reply.msg_hdr);
    if (reply.msg_hdr.msg_controllen == 0) reply.msg_hdr.msg_control = nullptr;
    replies_.push_back(reply);
  }
  std::vector<size_t> taken;
  for (size_t next = 0; next < replies_.size();) {
    const int count = ::sendmmsg(fd, &replies_[next], static_cast<unsigned>(replies_.size() - next),
                                 MSG_DONTWAIT);
    const size_t sent = count <= 0 ? 0 : static_cast<size_t>(count);
    taken.insert(taken.end(), &which[next], &which[next] + sent);
    next += count <= 0 ? 1 : sent;  // the one that was refused is left out
  }
  which = taken;
}

}  // namespace udp
