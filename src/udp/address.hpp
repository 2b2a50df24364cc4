// IP addresses and ports as the kernel wants them and as people write them. No name is looked up.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace udp {

struct Address {
  sockaddr_storage storage{};  // ss_family 0: none

  bool is_ipv6() const { return storage.ss_family == AF_INET6; }
  socklen_t size() const { return is_ipv6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  uint16_t port() const;
  void set_port(uint16_t port);
  std::string text() const;       // "10.8.0.2", "fd00::2", with "%3" for a scope; without the port
  std::string with_port() const;  // "10.8.0.2:5001", "[fd00::2]:5001"
  bool operator==(const Address& other) const;  // family, address and port
};

// An IPv4 address that came in by an IPv6 socket (::ffff:10.8.0.2), as what it is; others as they
// are.
Address plain(const Address& address);

// Digits only: "10.8.0.2", "fd00::2". Nothing for anything else.
std::optional<Address> read_address(const std::string& text);

// The address that many further on; carries over all its bytes. Nothing past the last one.
std::optional<Address> address_after(const Address& first, uint64_t steps);

// "10.8.0.0/16", "fd00::/64", "10.8.0.2".
struct Cidr {
  Address network;
  int bits = 0;
  bool holds(
      const Address& address) const;  // an IPv4 address within IPv6 (::ffff:…) counts as IPv4
};
// Whether one of them holds it; everybody is allowed when there are none.
bool is_allowed(const std::vector<Cidr>& allow, const Address& address);
// Throws 64 "NAME is 'x', …".
Cidr read_cidr(const std::string& text, const std::string& name);

// HOST, HOST:PORT, [V6]:PORT, V6; port as given without one. Throws 64.
struct HostPort {
  std::string host;  // without brackets
  uint16_t port = 0;
};
HostPort read_host_port(const std::string& text, uint16_t port, const std::string& name);

}  // namespace udp
