// Where each caller sends from: its address, its interface.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "udp/address.hpp"

namespace udp {

// What a caller sends from. Neither: whatever the route says.
struct From {
  Address address;               // family 0: none
  std::string interface;         // for SO_BINDTODEVICE; "": none
  uint32_t interface_index = 0;  // the same by number, which only a shared socket needs; 0: none
};

// An interface of this machine and one of its addresses.
struct LocalAddress {
  std::string interface;
  Address address;
  bool is_up = false;
};
std::vector<LocalAddress> local_addresses();  // throws 70

// The ways to name them; at most one of first, list_file, cidr, interfaces is set.
struct CallerChoice {
  std::string first;   // the first address; `count` of them, one after another
  uint32_t count = 0;  // 0: as many as there are clients
  std::string
      list_file;     // one address a line, or "address interface"; # begins a comment; - is stdin
  std::string cidr;  // all host addresses of it (IPv4: not network and broadcast below /31)
  std::string interfaces;  // a glob: "tun*"; sorted so that tun2 comes before tun10
};

// The addresses in their order, at most `clients` of them; client i uses number i modulo their
// count. Empty when nothing is named. `ipv6`: the server's family; an interface's address of
// the other family is left out. Throws 64 for what can't be read and for another family than the
// server's, 66 for a missing file, and 78 when no interface fits the glob or has an address (naming
// the interfaces there are).
std::vector<From> callers_from(const CallerChoice& choice, uint32_t clients, bool ipv6,
                               const std::vector<LocalAddress>& local);

// Addresses that this machine can't send from, found by binding; neighbours joined to ranges:
// "10.8.0.5 to 10.8.0.9". Throws 78 that names them all (at most 20 ranges, then "and N more") and
// how to add them.
void check_callers(const std::vector<From>& callers);

// "tun*", "tun?": shell-like, no brackets.
bool fits_glob(const std::string& glob, const std::string& name);

}  // namespace udp
