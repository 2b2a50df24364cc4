#include "commands/udp_ends.hpp"

#include <sys/socket.h>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "net/tcp.hpp"

namespace commands {

namespace {

constexpr int64_t kConnectMs = 10'000;

udp::Address peer_of(int fd) {
  udp::Address peer;
  socklen_t size = sizeof peer.storage;
  if (::getpeername(fd, peer.get(), &size) != 0) {
    throw base::Error(base::exit_unavailable, "the control connection is gone already");
  }
  return peer;
}

std::string way_of(const std::vector<udp::From>& callers) {
  if (callers.empty()) return "";
  const udp::From& first = callers.front();
  return first.interface.empty() ? "host!" + first.address.text() : "if!" + first.interface;
}

}  // namespace

int connect_udp_control(const std::string& place, const std::string& way) {
  const int64_t until_ms = base::monotonic_ms() + kConnectMs;
  try {
    return net::connect_tcp(place, way, way.empty() ? until_ms : until_ms - kConnectMs / 2);
  } catch (const base::Error& error) {
    if (way.empty() || error.code() != base::exit_unavailable) throw;
  }
  return net::connect_tcp(place, "", until_ms);  // from any address, as this one has no way there
}

void find_udp_server(const UdpTest& test, UdpEnds& ends) {
  ends.place = net::authority(test.host.host, test.host.port);
  if (const auto address = udp::read_address(test.host.host)) {
    ends.server = *address;
    ends.server.set_port(test.host.port);
    return;
  }
  const base::Descriptor connection(connect_udp_control(ends.place, ""));
  ends.server = peer_of(connection.fd);
  ends.place = ends.server.with_port();  // the name may mean another machine next time
}

void find_udp_callers(const UdpTest& test, UdpEnds& ends) {
  ends.callers = udp::callers_from(test.callers, test.load.clients, ends.server.is_ipv6(),
                                   udp::local_addresses());
  udp::check_callers(ends.callers);
  ends.way = way_of(ends.callers);
}

UdpEnds find_udp_ends(const UdpTest& test) {
  UdpEnds ends;
  find_udp_server(test, ends);
  find_udp_callers(test, ends);
  return ends;
}

}  // namespace commands
