// The ip commands that send each tunnel's own packets through that tunnel: policy routing by source
// address, a table for each tunnel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "udp/callers.hpp"

namespace udp {

struct RouteChoice {
  std::vector<std::string> servers;  // addresses or CIDRs, may be empty: only the default routes
  uint32_t first_table = 1'000;      // then one up for each tunnel
  bool remove = false;
};

// Shell lines, ready for `| sh` (with set -e behaviour left to the reader): for every tunnel
//   ip route add SERVER dev IF src IP table T · ip route add default dev IF table T ·
//   ip rule add from IP table T
// and for `remove` the same backwards with del, each "|| true"-free but with 2>/dev/null where a
// second removal must not fail. Interface names and addresses are the machine's own; a name that a
// shell would take apart is refused: 78. Lines that begin with # say what it is for, and that
// --interfaces makes it needless.
std::string route_commands(const RouteChoice& choice, const std::vector<From>& tunnels);

}  // namespace udp
