#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "udp/routes.hpp"

namespace {

udp::From tunnel(const std::string& interface, const std::string& address) {
  return {.address = *udp::read_address(address), .interface = interface};
}

const std::vector<udp::From> kTunnels = {tunnel("tun0", "10.88.4.15"),
                                         tunnel("tun1", "10.88.240.203")};

// The commands without the comments.
std::string commands(const udp::RouteChoice& choice, const std::vector<udp::From>& tunnels) {
  std::vector<std::string> lines;
  for (const std::string& line : base::split(udp::route_commands(choice, tunnels), '\n')) {
    if (!line.starts_with("#")) lines.push_back(line);
  }
  return base::join(lines, "\n");
}

std::string refused(const udp::RouteChoice& choice, const std::vector<udp::From>& tunnels) {
  try {
    return udp::route_commands(choice, tunnels);
  } catch (const base::Error& error) {
    return std::to_string(error.code()) + " " + error.what();
  }
}

}  // namespace

TEST_CASE("udp routes: three commands for each tunnel") {
  CHECK(commands({.servers = {"10.0.0.1", "192.168.7.9/24", "fd00::1"}}, kTunnels) ==
        "ip route add 10.0.0.1 dev tun0 src 10.88.4.15 table 1000\n"
        "ip route add 192.168.7.0/24 dev tun0 src 10.88.4.15 table 1000\n"
        "ip route add default dev tun0 table 1000\n"
        "ip rule add from 10.88.4.15 table 1000\n"
        "ip route add 10.0.0.1 dev tun1 src 10.88.240.203 table 1001\n"
        "ip route add 192.168.7.0/24 dev tun1 src 10.88.240.203 table 1001\n"
        "ip route add default dev tun1 table 1001\n"
        "ip rule add from 10.88.240.203 table 1001\n");
  CHECK(commands({.servers = {}, .first_table = 7}, {tunnel("tun0", "10.88.4.15")}) ==
        "ip route add default dev tun0 table 7\n"
        "ip rule add from 10.88.4.15 table 7\n");
  CHECK(commands({.servers = {}}, {}).empty());
}

TEST_CASE("udp routes: IPv6 has its own") {
  CHECK(commands({.servers = {"10.0.0.1", "fd00::1"}}, {tunnel("tun0", "fd88::5")}) ==
        "ip -6 route add fd00::1 dev tun0 src fd88::5 table 1000\n"
        "ip -6 route add default dev tun0 table 1000\n"
        "ip -6 rule add from fd88::5 table 1000\n");
}

TEST_CASE("udp routes: removal goes backwards and may be done twice") {
  CHECK(commands({.servers = {"10.0.0.1"}, .remove = true}, kTunnels) ==
        "ip rule del from 10.88.240.203 table 1001 2>/dev/null\n"
        "ip route del default dev tun1 table 1001 2>/dev/null\n"
        "ip route del 10.0.0.1 dev tun1 src 10.88.240.203 table 1001 2>/dev/null\n"
        "ip rule del from 10.88.4.15 table 1000 2>/dev/null\n"
        "ip route del default dev tun0 table 1000 2>/dev/null\n"
        "ip route del 10.0.0.1 dev tun0 src 10.88.4.15 table 1000 2>/dev/null\n"
        ":\n");
}

TEST_CASE("udp routes: the comments say when none of it is needed") {
  const std::string text = udp::route_commands({.servers = {}}, kTunnels);
  CHECK(text.starts_with("# "));
  CHECK(text.find("--interfaces") != std::string::npos);
  CHECK(text.find("SO_BINDTODEVICE") != std::string::npos);
}

TEST_CASE("udp routes: a name that a shell would take apart is refused") {
  for (const char* name : {"tun 0", "tun0;reboot", "$(id)", "`id`", "tun0\nx", "", "-all", "a'b",
                           "a|b", "a&b", "a>b", "tun*", "t\xC3\xBCn"}) {
    CAPTURE(name);
    CHECK(refused({.servers = {}}, {tunnel(name, "10.8.0.2")}).starts_with("78 the interface of "));
  }
  for (const char* name : {"tun0", "eth0.100", "wg-office", "a_b", "veth@x", "ppp+1"}) {
    CAPTURE(name);
    CHECK(refused({.servers = {}}, {tunnel(name, "10.8.0.2")}).starts_with("#"));
  }
  CHECK(refused({.servers = {"10.0.0.1;id"}}, kTunnels).starts_with("64 --server is "));
}

TEST_CASE("udp routes: the system's own tables are left alone") {
  struct Row {
    uint32_t first;
    bool is_fine;
  };
  const std::vector<Row> rows = {
      {0, false},   {1, true},   {251, true},  {252, false},          {253, false},
      {255, false}, {256, true}, {1000, true}, {4'294'967'294, true}, {4'294'967'295, false}};
  for (const Row& row : rows) {
    CAPTURE(row.first);
    const std::string text = refused({.servers = {}, .first_table = row.first}, kTunnels);
    CHECK(text.starts_with(row.is_fine ? "# " : "64 --first-table is "));
  }
}
