#include "net/listen.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/error.hpp"

namespace net {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// False when the text is no address in digits.
bool read_address(const std::string& text, uint16_t port, SocketAddress& address) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
    return true;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.size = sizeof v6;
    std::memcpy(&address.storage, &v6, sizeof v6);
    return true;
  }
  return false;
}

uint16_t port_of(const SocketAddress& address) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (address.storage.ss_family == AF_INET) {
    std::memcpy(&v4, &address.storage, sizeof v4);
    return ntohs(v4.sin_port);
  }
  std::memcpy(&v6, &address.storage, sizeof v6);
  return ntohs(v6.sin6_port);
}

const char* remedy(int error) {
  switch (error) {
    case EADDRINUSE:
      return "stop what listens there, or choose another port";
    case EADDRNOTAVAIL:
      return "choose an address of this machine, or 0.0.0.0 for all of them";
    case EACCES:
      return "choose a port above 1023, or run with the right to use it";
    case EAFNOSUPPORT:
      return "choose an IPv4 address, as this machine has no IPv6";
    default:
      return "choose another address or port";
  }
}

base::Error failure(base::ExitCode code, const std::string& address, uint16_t port,
                    const std::string& reason, const char* what_to_do) {
  return {code,
          fmt::format("can't listen at {} port {}: {}; {}", address, port, reason, what_to_do)};
}

}  // namespace

ListenSocket listen_at(const std::string& address, uint16_t port) {
  SocketAddress at;
  if (!read_address(address, port, at)) {
    throw failure(base::exit_usage, address, port, "that is no IP address",
                  "give it in digits, like 127.0.0.1 or ::1");
  }
  const int yes = 1;  // a port whose last connections are still winding up may be taken again
  const int fd =
      ::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd, at.get(), at.size) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, at.get(), &at.size) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    throw failure(base::exit_unavailable, address, port, std::generic_category().message(error),
                  remedy(error));
  }
  return {.fd = fd, .port = port_of(at)};
}

}  // namespace net
