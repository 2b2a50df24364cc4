// check_callers(): binds a socket to each address. See udp/callers.hpp.
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "udp/callers.hpp"

namespace udp {

namespace {

constexpr size_t kMostNamed = 20;

enum class Fault {
  not_here,
  broadcast,
  no_scope,
  no_interface,
  interface_down,
  no_right,
  no_ipv6,
  other,
};

using Faults = std::map<Fault, std::vector<From>>;

// An address's bytes in the order in which addresses follow one another.
std::string sort_key(const Address& address) {
  if (address.is_ipv6()) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    return {reinterpret_cast<const char*>(&v6.sin6_addr), sizeof v6.sin6_addr};
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr};
}

bool lacks_scope(const Address& address) {
  if (!address.is_ipv6()) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && v6.sin6_scope_id == 0;
}

Fault fault_of(int error) {
  switch (error) {
    case EADDRNOTAVAIL:
      return Fault::not_here;
    case ENODEV:
      return Fault::no_interface;
    case EPERM:
      return Fault::no_right;
    case EAFNOSUPPORT:
      return Fault::no_ipv6;
    default:
      return Fault::other;
  }
}

// Why one can't send from there; nothing when one can. `error` is the system's number for it.
std::optional<Fault> try_caller(const From& from, int& error) {
  const bool has_address = from.address.storage.ss_family != AF_UNSPEC;
  const int family = from.address.is_ipv6() ? AF_INET6 : AF_INET;
  const base::Descriptor socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto name_size = static_cast<socklen_t>(from.interface.size());
  const bool is_bound_to_device =
      socket.fd >= 0 &&
      (from.interface.empty() || ::setsockopt(socket.fd, SOL_SOCKET, SO_BINDTODEVICE,
                                              from.interface.c_str(), name_size) == 0);
  if (!is_bound_to_device) {
    error = errno;
    return fault_of(error);
  }
  if (!has_address) return {};
  if (lacks_scope(from.address)) return Fault::no_scope;
  if (::bind(socket.fd, from.address.get(), from.address.size()) != 0) {
    error = errno;
    return fault_of(error);
  }
  // A broadcast address can be bound, but packets would not leave from it. Connecting to it is what
  // the kernel refuses.
  Address itself = from.address;
  itself.set_port(9);
  if (::connect(socket.fd, itself.get(), itself.size()) != 0 && errno == EACCES) {
    return Fault::broadcast;
  }
  return {};
}

// Looks at the interfaces of those that have no fault by themselves, and of the addresses that are
// not here: they go away with their interface.
void find_down(const std::vector<From>& callers, Faults& faults) {
  const bool asks_interface = std::any_of(callers.begin(), callers.end(),
                                          [](const From& from) { return !from.interface.empty(); });
  if (!asks_interface && faults.find(Fault::not_here) == faults.end()) return;
  std::set<std::string> down;
  std::map<std::string, std::string> interface_of;
  for (const LocalAddress& local : local_addresses()) {
    if (local.is_up) continue;
    down.insert(local.interface);
    if (local.address.storage.ss_family != AF_UNSPEC) {
      interface_of[sort_key(local.address)] = local.interface;
    }
  }
  if (down.empty()) return;
  std::vector<From> still_missing;
  for (const From& from : faults[Fault::not_here]) {
    const auto found = interface_of.find(sort_key(from.address));
    if (down.contains(from.interface)) continue;
    if (from.interface.empty() && found != interface_of.end()) {
      faults[Fault::interface_down].push_back({from.address, found->second});
    } else {
      still_missing.push_back(from);
    }
  }
  faults[Fault::not_here] = still_missing;
  for (const From& from : callers) {
    if (down.contains(from.interface)) faults[Fault::interface_down].push_back(from);
  }
}

// "10.8.0.5 to 10.8.0.9, fd00::1 and 3 more".
std::string ranges(std::vector<From> callers) {
  std::stable_sort(callers.begin(), callers.end(), [](const From& one, const From& other) {
    return sort_key(one.address) < sort_key(other.address);
  });
  std::vector<std::string> texts;
  size_t at = 0;
  while (at < callers.size() && texts.size() < kMostNamed) {
    const Address& first = callers[at].address;
    const Address* last = &first;
    for (++at; at < callers.size(); ++at) {
      const Address& next = callers[at].address;
      const std::optional<Address> expected = address_after(*last, 1);
      if (!(next == *last) && !(expected && next == *expected)) break;
      last = &next;
    }
    texts.push_back(*last == first ? first.text()
                                   : fmt::format("{} to {}", first.text(), last->text()));
  }
  const std::string text = base::join(texts, ", ");
  const size_t more = callers.size() - at;
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

std::string interfaces(const std::vector<From>& callers) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const From& from : callers) {
    if (seen.insert(from.interface).second && seen.size() <= kMostNamed) {
      names.push_back(from.interface);
    }
  }
  const std::string text = base::join(names, ", ");
  const size_t more = seen.size() - names.size();
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

std::string words(Fault fault, const std::vector<From>& callers, int error) {
  const From& one = callers.front();
  switch (fault) {
    case Fault::not_here:
      return fmt::format(
          "not on this machine{}: {}; bring the tunnels up first, or add what is missing, as with "
          "'ip address add {}/{} dev lo'",
          one.interface.empty() ? "" : " or not on that interface", ranges(callers),
          one.address.text(), one.address.is_ipv6() ? 128 : 32);
    case Fault::broadcast:
      return fmt::format("a broadcast address, which nobody can send from: {}; leave it out",
                         ranges(callers));
    case Fault::no_scope:
      return fmt::format("link-local without its interface: {}; write it behind, as in {}%eth0",
                         ranges(callers), one.address.text());
    case Fault::no_interface:
      return fmt::format("no such interface: {}; 'ip link' shows those there are",
                         interfaces(callers));
    case Fault::interface_down:
      return fmt::format("the interface is down: {}; bring it up, as with 'ip link set {} up'",
                         interfaces(callers), one.interface);
    case Fault::no_right:
      return fmt::format("no right to send by interface: {}; run as root or with CAP_NET_RAW",
                         interfaces(callers));
    case Fault::no_ipv6:
      return fmt::format("this machine has no IPv6: {}; use IPv4 addresses", ranges(callers));
    case Fault::other:
      break;
  }
  return fmt::format("{}: {}", std::generic_category().message(error), ranges(callers));
}

}  // namespace

void check_callers(const std::vector<From>& callers) {
  Faults faults;
  int other_error = 0;
  for (const From& from : callers) {
    int error = 0;
    const std::optional<Fault> fault = try_caller(from, error);
    if (!fault) continue;
    faults[*fault].push_back(from);
    if (*fault == Fault::other) other_error = error;
  }
  find_down(callers, faults);
  std::vector<std::string> texts;
  for (const auto& [fault, whom] : faults) {
    if (!whom.empty()) texts.push_back(words(fault, whom, other_error));
  }
  if (texts.empty()) return;
  throw base::Error(base::exit_configuration,
                    "can't send from all addresses. " + base::join(texts, ". "));
}

}  // namespace udp
