#include "udp/socket.hpp"

#include <fmt/format.h>
#include <linux/sock_diag.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace udp {

namespace {

bool set(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

base::Error failure(base::ExitCode code, const std::string& what, int error,
                    const std::string& remedy) {
  return {code, fmt::format("{}: {}; {}", what, std::strerror(error), remedy)};
}

std::string place_of(const From& from) {
  if (from.address.storage.ss_family == 0) {
    return from.interface.empty() ? "any address" : from.interface;
  }
  return from.interface.empty() ? from.address.text()
                                : fmt::format("{} on {}", from.address.text(), from.interface);
}

int new_socket(bool is_ipv6) {
  const int fd =
      ::socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) return fd;
  throw failure(base::exit_unavailable, "can't open a UDP socket", errno,
                errno == EAFNOSUPPORT ? "this machine has no IPv6" : "raise the limit (ulimit -n)");
}

void set_options(int fd, bool is_ipv6, const SocketOptions& options) {
  const int level = is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
  // Without it the kernel keeps silent about packets that its own queues refuse.
  set(fd, level, is_ipv6 ? IPV6_RECVERR : IP_RECVERR, 1);
  if (options.dscp != 0) set(fd, level, is_ipv6 ? IPV6_TCLASS : IP_TOS, options.dscp << 2);
  const int discover = options.may_fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO;
  set(fd, level, is_ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, discover);
  set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
}

void bind_caller(int fd, const From& from) {
  if (!from.interface.empty() &&
      ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, from.interface.c_str(),
                   static_cast<socklen_t>(from.interface.size())) != 0) {
    throw failure(base::exit_configuration, fmt::format("can't send through {}", from.interface),
                  errno, "does it exist? On an old kernel this needs root");
  }
  if (from.address.storage.ss_family == 0) return;
  if (::bind(fd, from.address.get(), from.address.size()) == 0) return;
  const int error = errno;
  throw failure(base::exit_configuration, fmt::format("can't send from {}", place_of(from)), error,
                error == EADDRINUSE ? "no port is left on it: give more addresses"
                                    : "is it an address of this machine?");
}

// The largest queue there is to be had, up to what is wanted; what it is.
uint64_t widen_queue(int fd, uint64_t wanted_bytes) {
  const int half = static_cast<int>(wanted_bytes / 2);  // the kernel doubles it for its own needs
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, half)) set(fd, SOL_SOCKET, SO_RCVBUF, half);
  int bytes = 0;
  socklen_t size = sizeof bytes;
  ::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size);
  return static_cast<uint64_t>(bytes);
}

}  // namespace

uint64_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

int open_caller(const From& from, const Address& server, const SocketOptions& options) {
  const int fd = new_socket(server.is_ipv6());
  try {
    set_options(fd, server.is_ipv6(), options);
    bind_caller(fd, from);
    if (::connect(fd, server.get(), server.size()) != 0) {
      throw failure(base::exit_unavailable,
                    fmt::format("can't reach {} from {}", server.with_port(), place_of(from)),
                    errno, "is there a route?");
    }
  } catch (const base::Error&) {
    ::close(fd);
    throw;
  }
  return fd;
}

int open_shared(bool is_ipv6, const SocketOptions& options) {
  const int fd = new_socket(is_ipv6);
  set_options(fd, is_ipv6, options);
  return fd;
}

int mtu_of(int fd, bool is_ipv6) {
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const int got = is_ipv6 ? ::getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size)
                          : ::getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size);
  return got == 0 ? mtu : 0;
}

ServerSocket open_server(const Address& at, uint64_t wanted_buffer_bytes) {
  const int fd = new_socket(at.is_ipv6());
  if (at.is_ipv6()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (::bind(fd, at.get(), at.size()) != 0) {
    const int error = errno;
    ::close(fd);
    throw failure(base::exit_unavailable, fmt::format("can't receive at {}", at.with_port()), error,
                  error == EADDRINUSE ? "stop what receives there, or choose another --port"
                                      : "choose an address of this machine and a free port");
  }
  return {.fd = fd, .buffer_bytes = widen_queue(fd, wanted_buffer_bytes)};
}

void set_destinations(int fd, bool is_on) {
  if (!set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, is_on ? 1 : 0)) {
    set(fd, IPPROTO_IP, IP_PKTINFO, is_on ? 1 : 0);
  }
}

uint64_t queue_drops(int fd) {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof memory;
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, &memory, &size) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

}  // namespace udp
