#include "udp/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"

namespace udp {

namespace {

sockaddr_in as_ipv4(const Address& address) {
  sockaddr_in v4{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  return v4;
}

sockaddr_in6 as_ipv6(const Address& address) {
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  return v6;
}

template <typename Kind>
Address from_kind(const Kind& kind) {
  Address address;
  std::memcpy(&address.storage, &kind, sizeof kind);
  return address;
}

// An address without its port; `size` is 4 or 16, 0 for none.
struct Bytes {
  std::array<uint8_t, 16> all{};
  size_t size = 0;
};

Bytes bytes_of(const Address& address) {
  Bytes bytes;
  if (address.storage.ss_family == AF_INET) {
    const in_addr digits = as_ipv4(address).sin_addr;
    bytes.size = sizeof digits;
    std::memcpy(bytes.all.data(), &digits, sizeof digits);
  } else if (address.is_ipv6()) {
    const in6_addr digits = as_ipv6(address).sin6_addr;
    bytes.size = sizeof digits;
    std::memcpy(bytes.all.data(), &digits, sizeof digits);
  }
  return bytes;
}

// The same family, port and scope with other bytes.
Address with_bytes(const Address& address, const Bytes& bytes) {
  if (address.is_ipv6()) {
    sockaddr_in6 v6 = as_ipv6(address);
    std::memcpy(&v6.sin6_addr, bytes.all.data(), sizeof v6.sin6_addr);
    return from_kind(v6);
  }
  sockaddr_in v4 = as_ipv4(address);
  std::memcpy(&v4.sin_addr, bytes.all.data(), sizeof v4.sin_addr);
  return from_kind(v4);
}

bool is_mapped(const Address& address) {
  if (!address.is_ipv6()) return false;
  const in6_addr digits = as_ipv6(address).sin6_addr;
  return IN6_IS_ADDR_V4MAPPED(&digits);
}

// The IPv4 address within ::ffff:…
Address unmapped(const Address& address) {
  const Bytes bytes = bytes_of(address);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = as_ipv6(address).sin6_port;
  std::memcpy(&v4.sin_addr, bytes.all.data() + 12, sizeof v4.sin_addr);
  return from_kind(v4);
}

Bytes masked(Bytes bytes, int bits) {
  for (size_t i = 0; i < bytes.size; ++i) {
    const int kept = std::clamp(bits - 8 * static_cast<int>(i), 0, 8);
    bytes.all[i] = static_cast<uint8_t>(bytes.all[i] & (0xFF00U >> static_cast<unsigned>(kept)));
  }
  return bytes;
}

base::Error unusable(const std::string& name, const std::string& text, const std::string& why) {
  return {base::exit_usage, fmt::format("{} is '{}', {}", name, text, why)};
}

// The zone of fe80::1%3 or fe80::1%tun0; 0 when there is no such interface.
uint32_t read_scope(const std::string& text) {
  uint32_t scope = 0;
  if (base::read_number(text, scope)) return scope;
  return ::if_nametoindex(text.c_str());
}

uint16_t read_port(const std::string& digits, const std::string& text, const std::string& name) {
  uint16_t port = 0;
  if (!base::read_number(digits, port) || port == 0) {
    throw unusable(name, text, "whose port is not a number from 1 to 65535");
  }
  return port;
}

}  // namespace

uint16_t Address::port() const {
  return ntohs(is_ipv6() ? as_ipv6(*this).sin6_port : as_ipv4(*this).sin_port);
}

void Address::set_port(uint16_t port) {
  if (is_ipv6()) {
    sockaddr_in6 v6 = as_ipv6(*this);
    v6.sin6_port = htons(port);
    std::memcpy(&storage, &v6, sizeof v6);
  } else {
    sockaddr_in v4 = as_ipv4(*this);
    v4.sin_port = htons(port);
    std::memcpy(&storage, &v4, sizeof v4);
  }
}

std::string Address::text() const {
  const Bytes bytes = bytes_of(*this);
  if (bytes.size == 0) return "";
  char digits[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(storage.ss_family, bytes.all.data(), digits, sizeof digits);
  const uint32_t scope = is_ipv6() ? as_ipv6(*this).sin6_scope_id : 0;
  return scope == 0 ? std::string(digits) : fmt::format("{}%{}", digits, scope);
}

std::string Address::with_port() const {
  return is_ipv6() ? fmt::format("[{}]:{}", text(), port()) : fmt::format("{}:{}", text(), port());
}

bool Address::operator==(const Address& other) const {
  if (storage.ss_family != other.storage.ss_family || port() != other.port()) return false;
  if (is_ipv6() && as_ipv6(*this).sin6_scope_id != as_ipv6(other).sin6_scope_id) return false;
  return bytes_of(*this).all == bytes_of(other).all;
}

Address plain(const Address& address) {
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  if (!address.is_ipv6() || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  Address result;
  std::memcpy(&result.storage, &v4, sizeof v4);
  return result;
}

std::optional<Address> read_address(const std::string& text) {
  if (text.find('\0') != std::string::npos) return {};  // where the C functions below would end
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    return from_kind(v4);
  }
  const size_t percent = text.find('%');
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6.sin6_addr) != 1) return {};
  v6.sin6_family = AF_INET6;
  if (percent != std::string::npos) {
    v6.sin6_scope_id = read_scope(text.substr(percent + 1));
    if (v6.sin6_scope_id == 0) return {};
  }
  return from_kind(v6);
}

std::optional<Address> address_after(const Address& first, uint64_t steps) {
  Bytes bytes = bytes_of(first);
  unsigned carry = 0;
  for (size_t i = bytes.size; i > 0; --i) {
    const unsigned sum = bytes.all[i - 1] + static_cast<unsigned>(steps & 0xFFU) + carry;
    bytes.all[i - 1] = static_cast<uint8_t>(sum & 0xFFU);
    carry = sum >> 8U;
    steps >>= 8U;
  }
  if (carry != 0 || steps != 0) return {};
  return with_bytes(first, bytes);
}

bool Cidr::holds(const Address& address) const {
  const Address plain = is_mapped(address) ? unmapped(address) : address;
  if (plain.storage.ss_family != network.storage.ss_family) return false;
  return masked(bytes_of(plain), bits).all == bytes_of(network).all;
}

bool is_allowed(const std::vector<Cidr>& allow, const Address& address) {
  return allow.empty() || std::any_of(allow.begin(), allow.end(),
                                      [&](const Cidr& cidr) { return cidr.holds(address); });
}

Cidr read_cidr(const std::string& text, const std::string& name) {
  const size_t slash = text.find('/');
  const std::optional<Address> address = read_address(text.substr(0, slash));
  if (!address) {
    throw unusable(name, text, "which is no address or network, like 10.8.0.2 or 10.8.0.0/16");
  }
  Cidr cidr{.network = *address, .bits = address->is_ipv6() ? 128 : 32};
  int bits = cidr.bits;
  if (slash != std::string::npos &&
      (!base::read_number(text.substr(slash + 1), bits) || bits < 0 || bits > cidr.bits)) {
    throw unusable(name, text,
                   fmt::format("where a number from 0 to {} must follow the '/'", cidr.bits));
  }
  cidr.bits = bits;
  if (is_mapped(cidr.network) && bits >= 96) {
    cidr = {.network = unmapped(cidr.network), .bits = bits - 96};
  }
  cidr.network = with_bytes(cidr.network, masked(bytes_of(cidr.network), cidr.bits));
  return cidr;
}

HostPort read_host_port(const std::string& text, uint16_t port, const std::string& name) {
  HostPort place{.host = text, .port = port};
  const size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    const bool has_port = end != std::string::npos && end + 1 == colon;
    if (end == std::string::npos || (!has_port && end + 1 != text.size())) {
      throw unusable(name, text, "whose brackets are not as in [fd00::2]:5001");
    }
    place.host = text.substr(1, end - 1);
    const std::optional<Address> address = read_address(place.host);
    if (!address || !address->is_ipv6()) {
      throw unusable(name, text, "where no IPv6 address stands within the brackets");
    }
    if (has_port) place.port = read_port(text.substr(end + 2), text, name);
  } else if (colon != std::string::npos && text.find(':') == colon) {
    place.host = text.substr(0, colon);
    place.port = read_port(text.substr(colon + 1), text, name);
  } else if (colon != std::string::npos && !read_address(text)) {
    throw unusable(name, text, "which is neither HOST:PORT nor an IPv6 address");
  }
  const bool is_odd = std::any_of(place.host.begin(), place.host.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '/';
  });
  if (place.host.empty() || is_odd) {
    throw unusable(name, text, "which names no host; write HOST or HOST:PORT, like 10.0.0.1:5001");
  }
  return place;
}

}  // namespace udp
