#include "udp/callers.hpp"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace udp {

namespace {

constexpr size_t kMostListBytes = size_t{16} << 20U;
constexpr size_t kMostNamed = 20;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The digits at `at` as a number's text, without zeros before it; moves `at` behind them.
std::string take_digits(const std::string& text, size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

// tun2 before tun10.
bool comes_before(const std::string& one, const std::string& other) {
  size_t i = 0;
  size_t j = 0;
  while (i < one.size() && j < other.size()) {
    if (is_digit(one[i]) && is_digit(other[j])) {
      const std::string left = take_digits(one, i);
      const std::string right = take_digits(other, j);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (one[i] != other[j]) return one[i] < other[j];
      ++i, ++j;
    }
  }
  return one.size() - i < other.size() - j || (i == one.size() && j == other.size() && one < other);
}

bool is_link_local(const Address& address) {
  if (!address.is_ipv6()) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
}

bool is_no_source(const Address& address) {
  if (address.is_ipv6()) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) || IN6_IS_ADDR_MULTICAST(&v6.sin6_addr) ||
           IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  const in_addr_t number = ntohl(v4.sin_addr.s_addr);
  return number == INADDR_ANY || number == INADDR_BROADCAST || IN_MULTICAST(number);
}

const char* family_name(bool ipv6) {
  return ipv6 ? "IPv6" : "IPv4";
}

base::Error unusable(const std::string& where, const std::string& text, const std::string& why) {
  return {base::exit_usage, fmt::format("{} is '{}', {}", where, text, why)};
}

void check_source(const Address& address, bool ipv6, const std::string& where,
                  const std::string& text) {
  if (address.is_ipv6() != ipv6) {
    throw unusable(where, text,
                   fmt::format("which is {}, but the server's address is {}; both must be the same",
                               family_name(!ipv6), family_name(ipv6)));
  }
  if (is_no_source(address)) {
    throw unusable(where, text, "which nobody can send from; give an address of this machine");
  }
}

std::vector<From> from_first(const std::string& text, uint64_t count, bool ipv6) {
  const std::string where = "--min-client-addr";
  const std::optional<Address> first = read_address(text);
  if (!first) throw unusable(where, text, "which is no address, like 10.8.0.2 or fd00::2");
  std::vector<From> callers;
  for (uint64_t i = 0; i < count; ++i) {
    const std::optional<Address> address = address_after(*first, i);
    if (!address) {
      throw unusable(where, text,
                     fmt::format("and only {} addresses follow from there; ask for fewer", i));
    }
    check_source(*address, ipv6, where, i == 0 ? text : address->text());
    callers.push_back({.address = *address, .interface = ""});
  }
  return callers;
}

std::vector<From> from_cidr(const std::string& text, uint64_t most, bool ipv6) {
  const Cidr cidr = read_cidr(text, "--cidr");
  const int host_bits = (cidr.network.is_ipv6() ? 128 : 32) - cidr.bits;
  const bool has_ends = !cidr.network.is_ipv6() && host_bits >= 2;
  uint64_t count = host_bits >= 63 ? most : uint64_t{1} << static_cast<unsigned>(host_bits);
  if (has_ends) count -= 2;
  std::vector<From> callers;
  for (uint64_t i = 0; i < std::min(count, most); ++i) {
    const std::optional<Address> address = address_after(cidr.network, has_ends ? i + 1 : i);
    if (!address) break;
    check_source(*address, ipv6, "--cidr", text);
    callers.push_back({.address = *address, .interface = ""});
  }
  return callers;
}

// One line of a list; nothing for an empty one.
std::optional<From> read_line(const std::string& line, const std::string& where, bool ipv6) {
  const std::string text = base::trim(line.substr(0, line.find('#')));
  if (text.empty()) return {};
  const size_t space = text.find_first_of(" \t");
  From from;
  if (space != std::string::npos) from.interface = base::trim(text.substr(space));
  if (from.interface.find_first_of(" \t") != std::string::npos ||
      from.interface.size() >= IFNAMSIZ) {
    throw unusable(where, text, "which is more than an address and an interface");
  }
  std::string digits = text.substr(0, space);
  std::optional<Address> address = read_address(digits);
  if (!address) throw unusable(where, text, "which does not begin with an address, like 10.8.0.2");
  if (is_link_local(*address) && !from.interface.empty() && digits.find('%') == std::string::npos) {
    const std::optional<Address> scoped = read_address(digits + "%" + from.interface);
    if (scoped) address = scoped;  // else check_callers() says that there is no such interface
  }
  check_source(*address, ipv6, where, text);
  from.address = *address;
  return from;
}

std::vector<From> from_list(const std::string& path, uint64_t most, bool ipv6) {
  const std::string text = base::read_file(path, kMostListBytes, "the list of addresses");
  const std::string name = path == "-" ? "standard input" : path;
  std::vector<From> callers;
  size_t number = 0;
  for (const std::string& line : base::split(text, '\n')) {
    const auto from = read_line(line, fmt::format("line {} of {}", ++number, name), ipv6);
    if (from && callers.size() < most) callers.push_back(*from);
  }
  if (callers.empty()) {
    throw base::Error(base::exit_usage,
                      fmt::format("{} has no addresses; write one a line, like 10.8.0.2", name));
  }
  return callers;
}

// "a, b and 3 more".
std::string named(const std::vector<std::string>& names, size_t more) {
  if (more > 0) return fmt::format("{} and {} more", base::join(names, ", "), more);
  if (names.size() < 2) return base::join(names, "");
  const std::vector<std::string> before(names.begin(), names.end() - 1);
  return fmt::format("{} and {}", base::join(before, ", "), names.back());
}

std::string named(const std::set<std::string>& all) {
  std::vector<std::string> names(all.begin(), all.end());
  std::sort(names.begin(), names.end(), comes_before);
  const size_t more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
  names.resize(names.size() - more);
  return named(names, more);
}

std::string interfaces_there_are(const std::vector<LocalAddress>& local) {
  std::set<std::string> names;
  for (const LocalAddress& one : local) names.insert(one.interface);
  return names.empty() ? "there are none" : "there are " + named(names);
}

std::vector<From> from_interfaces(const std::string& glob, uint64_t most, bool ipv6,
                                  const std::vector<LocalAddress>& local) {
  std::vector<LocalAddress> fitting;
  std::set<std::string> with_wide;  // interfaces with an address that is not just link-local
  bool fits_any = false;
  for (const LocalAddress& one : local) {
    if (!fits_glob(glob, one.interface)) continue;
    fits_any = true;
    if (one.address.storage.ss_family != (ipv6 ? AF_INET6 : AF_INET)) continue;
    fitting.push_back(one);
    if (!is_link_local(one.address)) with_wide.insert(one.interface);
  }
  if (fitting.empty()) {
    throw base::Error(
        base::exit_configuration,
        fits_any ? fmt::format("no interface that fits '{}' has an {} address; bring the tunnels "
                               "up first",
                               glob, family_name(ipv6))
                 : fmt::format("no interface fits '{}'; {}", glob, interfaces_there_are(local)));
  }
  std::stable_sort(fitting.begin(), fitting.end(), [](const auto& one, const auto& other) {
    return comes_before(one.interface, other.interface);
  });
  std::vector<From> callers;
  for (const LocalAddress& one : fitting) {
    if (is_link_local(one.address) && with_wide.contains(one.interface)) continue;
    if (callers.size() < most) callers.push_back({one.address, one.interface});
  }
  return callers;
}

}  // namespace

std::vector<LocalAddress> local_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    throw base::Error(base::exit_our_bug, fmt::format("can't list this machine's addresses: {}",
                                                      std::generic_category().message(errno)));
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(first, freeifaddrs);
  std::vector<LocalAddress> local;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    LocalAddress found;
    found.interface = one->ifa_name;
    // An IPv4 address may have a label: eth0:1.
    found.interface.resize(std::min(found.interface.find(':'), found.interface.size()));
    found.is_up = (one->ifa_flags & IFF_UP) != 0;
    const int family = one->ifa_addr == nullptr ? AF_UNSPEC : one->ifa_addr->sa_family;
    if (family == AF_INET) std::memcpy(&found.address.storage, one->ifa_addr, sizeof(sockaddr_in));
    if (family == AF_INET6) {
      std::memcpy(&found.address.storage, one->ifa_addr, sizeof(sockaddr_in6));
    }
    local.push_back(found);  // also one without an address: that the interface is there
  }
  return local;
}

std::vector<From> callers_from(const CallerChoice& choice, uint32_t clients, bool ipv6,
                               const std::vector<LocalAddress>& local) {
  if (!choice.first.empty()) {
    const uint32_t count = choice.count == 0 ? clients : std::min(choice.count, clients);
    return from_first(choice.first, count, ipv6);
  }
  if (!choice.list_file.empty()) return from_list(choice.list_file, clients, ipv6);
  if (!choice.cidr.empty()) return from_cidr(choice.cidr, clients, ipv6);
  if (!choice.interfaces.empty()) return from_interfaces(choice.interfaces, clients, ipv6, local);
  return {};
}

// Goes back to the last "*" and lets it take one letter more whenever the rest does not fit.
bool fits_glob(const std::string& glob, const std::string& name) {
  size_t at = 0;
  size_t in_name = 0;
  size_t star = std::string::npos;
  size_t taken = 0;
  while (in_name < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      taken = in_name;
    } else if (at < glob.size() && (glob[at] == '?' || glob[at] == name[in_name])) {
      ++at, ++in_name;
    } else if (star != std::string::npos) {
      at = star + 1;
      in_name = ++taken;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at) == std::string::npos;
}

}  // namespace udp
