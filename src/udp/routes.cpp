#include "udp/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.hpp"
#include "base/text.hpp"

namespace udp {

namespace {

constexpr uint64_t kMostTable = 0xFFFF'FFFF;

// Whether a shell and ip take it for one plain word.
bool is_plain(const std::string& name) {
  const bool all_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-' || c == '@' || c == '+';
  });
  return all_plain && !name.empty() && name.front() != '-';
}

void check_tables(uint64_t first, uint64_t count) {
  const uint64_t last = first + count - 1;
  const bool meets_reserved = first == 0 || (first <= 255 && last >= 253);
  if (!meets_reserved && last <= kMostTable) return;
  throw base::Error(
      base::exit_usage,
      fmt::format("--first-table is {}, so that {} tunnels would take tables up to {}; 0, 253 to "
                  "255 and those above {} are not free; choose another, like 1000",
                  first, count, last, kMostTable));
}

void check_tunnel(const From& tunnel) {
  if (is_plain(tunnel.interface)) return;
  throw base::Error(
      base::exit_configuration,
      fmt::format("the interface of {} is called '{}', which a shell could take apart; rename it "
                  "with 'ip link set'",
                  tunnel.address.text(), tunnel.interface));
}

// Without a scope, which ip does not want.
std::string digits(const Address& address) {
  const std::string text = address.text();
  return text.substr(0, text.find('%'));
}

std::string written(const Cidr& cidr) {
  const bool is_one = cidr.bits == (cidr.network.is_ipv6() ? 128 : 32);
  const std::string network = digits(cidr.network);
  return is_one ? network : fmt::format("{}/{}", network, cidr.bits);
}

// The commands for one tunnel, in the order in which they are added.
std::vector<std::string> commands_of(const From& tunnel, uint64_t table,
                                     const std::vector<Cidr>& servers, bool remove) {
  const std::string ip = tunnel.address.is_ipv6() ? "ip -6" : "ip";
  const char* verb = remove ? "del" : "add";
  const char* end = remove ? " 2>/dev/null" : "";
  const std::string address = digits(tunnel.address);
  std::vector<std::string> commands;
  for (const Cidr& server : servers) {
    if (server.network.is_ipv6() != tunnel.address.is_ipv6()) continue;
    commands.push_back(fmt::format("{} route {} {} dev {} src {} table {}{}", ip, verb,
                                   written(server), tunnel.interface, address, table, end));
  }
  commands.push_back(
      fmt::format("{} route {} default dev {} table {}{}", ip, verb, tunnel.interface, table, end));
  commands.push_back(fmt::format("{} rule {} from {} table {}{}", ip, verb, address, table, end));
  return commands;
}

std::string heading(const RouteChoice& choice) {
  if (choice.remove) {
    return "# Removes the routes and rules of the tunnels again. Run it as root: … | sh\n"
           "# A line whose route or rule has gone already does nothing.\n";
  }
  return "# Sends what comes from a tunnel's own address through that tunnel: a table for each.\n"
         "# Run it as root: … | sh. The same with --remove takes it back.\n"
         "# udp-load needs none of this when it is told the tunnels with --interfaces, or with "
         "--addresses\n"
         "# and an interface on each line: then it binds each caller to its tunnel "
         "(SO_BINDTODEVICE).\n"
         "# It is needed for --min-client-addr and --cidr, and for --echo where rp_filter is 1 "
         "(answers\n"
         "# that come in by another way than the main table's are dropped there).\n";
}

}  // namespace

std::string route_commands(const RouteChoice& choice, const std::vector<From>& tunnels) {
  std::vector<Cidr> servers;
  servers.reserve(choice.servers.size());
  for (const std::string& server : choice.servers) servers.push_back(read_cidr(server, "--server"));
  if (tunnels.empty()) return "";
  check_tables(choice.first_table, tunnels.size());
  std::vector<std::string> lines;
  uint64_t table = choice.first_table;
  for (const From& tunnel : tunnels) {
    check_tunnel(tunnel);
    std::vector<std::string> commands = commands_of(tunnel, table, servers, choice.remove);
    std::move(commands.begin(), commands.end(), std::back_inserter(lines));
    ++table;
  }
  if (choice.remove) {
    std::reverse(lines.begin(), lines.end());
    lines.emplace_back(":");  // so that a second removal ends with 0
  }
  return heading(choice) + base::join(lines, "\n") + "\n";
}

}  // namespace udp
