#include "udp/shared_packet.hpp"

#include <netinet/in.h>

#include <cstring>

namespace udp {

namespace {

in_pktinfo v4_info(const From& from) {
  in_pktinfo info{};
  sockaddr_in v4{};
  std::memcpy(&v4, &from.address.storage, sizeof v4);
  info.ipi_spec_dst = v4.sin_addr;
  info.ipi_ifindex = static_cast<int>(from.interface_index);
  return info;
}

in6_pktinfo v6_info(const From& from) {
  in6_pktinfo info{};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &from.address.storage, sizeof v6);
  info.ipi6_addr = v6.sin6_addr;
  info.ipi6_ifindex = from.interface_index;
  return info;
}

}  // namespace

template <typename Info>
size_t SharedPacket::put(int level, int type, const Info& info) {
  cmsghdr head{};
  head.cmsg_level = level;
  head.cmsg_type = type;
  head.cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(control_.data(), &head, sizeof head);
  std::memcpy(control_.data() + CMSG_LEN(0), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

bool SharedPacket::send(int fd, const From& from) {
  msghdr message{};
  message.msg_name = to_.get();
  message.msg_namelen = to_.size();
  message.msg_iov = &part_;
  message.msg_iovlen = 1;
  message.msg_control = control_.data();
  message.msg_controllen = to_.is_ipv6() ? put(IPPROTO_IPV6, IPV6_PKTINFO, v6_info(from))
                                         : put(IPPROTO_IP, IP_PKTINFO, v4_info(from));
  return ::sendmsg(fd, &message, 0) >= 0;
}

}  // namespace udp
