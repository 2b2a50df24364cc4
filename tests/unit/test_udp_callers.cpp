#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "udp/callers.hpp"

namespace {

udp::LocalAddress local(const std::string& interface, const std::string& address,
                        bool is_up = true) {
  udp::LocalAddress one{.interface = interface, .address = {}, .is_up = is_up};
  if (!address.empty()) one.address = *udp::read_address(address);
  return one;
}

const std::vector<udp::LocalAddress> kLocal = {
    local("lo", "127.0.0.1"),     local("tun10", "10.88.240.203"),
    local("tun2", "10.88.4.15"),  local("tun2", "fe80::2%1"),
    local("tun2", "fd00::2"),     local("tun1", "10.88.9.9", false),
    local("tun1", "10.88.9.10"),  local("wg0", ""),
    local("tun11", "fe80::11%1"),
};

udp::CallerChoice first(const std::string& address, uint32_t count = 0) {
  udp::CallerChoice choice;
  choice.first = address;
  choice.count = count;
  return choice;
}

udp::CallerChoice listed(const std::string& path) {
  udp::CallerChoice choice;
  choice.list_file = path;
  return choice;
}

udp::CallerChoice network(const std::string& cidr) {
  udp::CallerChoice choice;
  choice.cidr = cidr;
  return choice;
}

udp::CallerChoice interfaces(const std::string& glob) {
  udp::CallerChoice choice;
  choice.interfaces = glob;
  return choice;
}

std::string shown(const udp::CallerChoice& choice, uint32_t clients, bool ipv6 = false) {
  try {
    std::vector<std::string> texts;
    for (const udp::From& from : udp::callers_from(choice, clients, ipv6, kLocal)) {
      const std::string behind = from.interface.empty() ? "" : "@" + from.interface;
      texts.push_back(from.address.text() + behind);
    }
    return base::join(texts, " ");
  } catch (const base::Error& error) {
    return std::to_string(error.code()) + " " + error.what();
  }
}

// Writes a list and reads it as the callers' addresses.
std::string shown_list(const std::string& text, uint32_t clients, bool ipv6 = false) {
  char path[] = "/tmp/callers-XXXXXX";
  ::close(::mkstemp(path));
  std::ofstream(path) << text;
  const std::string read = shown(listed(path), clients, ipv6);
  ::unlink(path);
  return base::replace_all(read, path, "LIST");
}

udp::From from(const std::string& address, const std::string& interface = "") {
  udp::From one;
  if (!address.empty()) one.address = *udp::read_address(address);
  one.interface = interface;
  return one;
}

std::string complaint(const std::vector<udp::From>& callers) {
  try {
    udp::check_callers(callers);
    return "";
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_configuration);
    return error.what();
  }
}

}  // namespace

TEST_CASE("udp callers: nothing named means the route's address") {
  CHECK(shown({}, 5).empty());
}

TEST_CASE("udp callers: first and count, never more than clients") {
  CHECK(shown(first("10.8.0.254"), 3) == "10.8.0.254 10.8.0.255 10.8.1.0");
  CHECK(shown(first("10.8.0.2", 2), 5) == "10.8.0.2 10.8.0.3");
  CHECK(shown(first("10.8.0.2", 9), 1) == "10.8.0.2");
  CHECK(shown(first("fd00::ffff", 2), 5, true) == "fd00::ffff fd00::1:0");
  CHECK(shown(first("tun0"), 5) ==
        "64 --min-client-addr is 'tun0', which is no address, like 10.8.0.2 or fd00::2");
  CHECK(shown(first("10.8.0.2"), 1, true) ==
        "64 --min-client-addr is '10.8.0.2', which is IPv4, but the server's address is IPv6; "
        "both must be the same");
  CHECK(shown(first("0.0.0.0"), 1) ==
        "64 --min-client-addr is '0.0.0.0', which nobody can send from; give an address of this "
        "machine");
  CHECK(shown(first("223.255.255.255"), 2).starts_with("64 --min-client-addr is '224.0.0.0'"));
  CHECK(shown(first("ffff::"), 1, true).starts_with("64"));
  CHECK(shown(first("255.255.255.255"), 1).starts_with("64"));
}

TEST_CASE("udp callers: a network gives its host addresses") {
  struct Row {
    std::string cidr;
    bool ipv6;
    std::string callers;
  };
  const std::vector<Row> rows = {
      {"10.8.0.0/30", false, "10.8.0.1 10.8.0.2"},
      {"10.8.0.7/31", false, "10.8.0.6 10.8.0.7"},
      {"10.8.0.7/32", false, "10.8.0.7"},
      {"10.8.0.0/8", false, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"},
      {"fd00::/127", true, "fd00:: fd00::1"},
      {"fd00::/64", true, "fd00:: fd00::1 fd00::2 fd00::3"},
      {"fd00::/16", true, "fd00:: fd00::1 fd00::2 fd00::3"},
      {"10.8.0.0/30", true,
       "64 --cidr is '10.8.0.0/30', which is IPv4, but the server's address is IPv6; both must "
       "be the same"},
  };
  for (const Row& row : rows) CHECK(shown(network(row.cidr), 4, row.ipv6) == row.callers);
}

TEST_CASE("udp callers: a list may have comments, interfaces and Windows' line ends") {
  CHECK(shown_list("# leases\r\n10.88.4.15\r\n\n 10.88.240.203\ttun1  # two\n", 9) ==
        "10.88.4.15 10.88.240.203@tun1");
  CHECK(shown_list("10.8.0.3\n10.8.0.2\n10.8.0.1", 2) == "10.8.0.3 10.8.0.2");
  CHECK(shown_list("fe80::5 lo\n", 2, true) == "fe80::5%1@lo");
  CHECK(shown_list("10.8.0.3\ntun0\n", 1) ==
        "64 line 2 of LIST is 'tun0', which does not begin with an address, like 10.8.0.2");
  CHECK(shown_list("10.8.0.3 tun0 x\n", 1) ==
        "64 line 1 of LIST is '10.8.0.3 tun0 x', which is more than an address and an interface");
  CHECK(shown_list("fd00::1\n", 1).starts_with("64 line 1 of LIST is 'fd00::1', which is IPv6"));
  CHECK(shown_list("# none\n", 1) == "64 LIST has no addresses; write one a line, like 10.8.0.2");
  CHECK(shown(listed("/no/such/list"), 1).starts_with("66 "));
}

TEST_CASE("udp callers: interfaces come in the order of their numbers, one family of addresses") {
  CHECK(shown(interfaces("tun*"), 9) ==
        "10.88.9.9@tun1 10.88.9.10@tun1 10.88.4.15@tun2 10.88.240.203@tun10");
  CHECK(shown(interfaces("tun*"), 2) == "10.88.9.9@tun1 10.88.9.10@tun1");
  CHECK(shown(interfaces("tun?"), 9, true) == "fd00::2@tun2");  // not its link-local one
  CHECK(shown(interfaces("tun11"), 9, true) == "fe80::11%1@tun11");
  CHECK(shown(interfaces("ppp*"), 9) ==
        "78 no interface fits 'ppp*'; there are lo, tun1, tun2, tun10, tun11 and wg0");
  CHECK(shown(interfaces("wg*"), 9) ==
        "78 no interface that fits 'wg*' has an IPv4 address; bring the tunnels up first");
}

TEST_CASE("udp callers: a glob fits as in a shell") {
  struct Row {
    std::string glob, name;
    bool fits;
  };
  const std::vector<Row> rows = {
      {"tun*", "tun0", true},   {"tun*", "tun", true},    {"tun*", "xtun0", false},
      {"*", "", true},          {"", "", true},           {"", "a", false},
      {"tun?", "tun1", true},   {"tun?", "tun10", false}, {"tun?", "tun", false},
      {"*n*1", "tun11", true},  {"*n*1", "tun12", false}, {"t*n*", "tun", true},
      {"tun[0]", "tun0", false}};
  for (const Row& row : rows) {
    CAPTURE(row.glob);
    CAPTURE(row.name);
    CHECK(udp::fits_glob(row.glob, row.name) == row.fits);
  }
}

TEST_CASE("udp callers: this machine's own addresses have lo's among them") {
  bool has_loopback = false;
  for (const udp::LocalAddress& one : udp::local_addresses()) {
    if (one.interface == "lo" && one.address.text() == "127.0.0.1") has_loopback = one.is_up;
  }
  CHECK(has_loopback);
}

TEST_CASE("udp callers: every address that is not here is named, neighbours as ranges") {
  std::vector<udp::From> callers;
  for (uint64_t i = 0; i < 2'000; ++i) {
    callers.push_back(
        {.address = *udp::address_after(*udp::read_address("127.1.0.1"), i), .interface = ""});
  }
  CHECK(complaint(callers).empty());
  CHECK(complaint({from("")}).empty());
  callers.insert(callers.end(), {from("203.0.113.9"), from("203.0.113.7"), from("203.0.113.8"),
                                 from("203.0.113.8"), from("198.51.100.1")});
  CHECK(complaint(callers) ==
        "can't send from all addresses. not on this machine: 198.51.100.1, "
        "203.0.113.7 to 203.0.113.9; bring the tunnels up first, or add what is missing, as with "
        "'ip address "
        "add 203.0.113.9/32 dev lo'");
}

TEST_CASE("udp callers: at most twenty ranges are named") {
  std::vector<udp::From> callers;
  for (uint64_t i = 0; i < 25; ++i) {
    callers.push_back({.address = *udp::address_after(*udp::read_address("203.0.113.0"), 2 * i),
                       .interface = ""});
  }
  const std::string text = complaint(callers);
  CHECK(text.find("203.0.113.36, 203.0.113.38 and 5 more;") != std::string::npos);
  CHECK(text.find("203.0.113.40") == std::string::npos);
}

TEST_CASE("udp callers: what is wrong otherwise has words of its own") {
  CHECK(complaint({from("127.255.255.255"), from("127.0.0.1", "no-such-if"), from("fe80::1")}) ==
        "can't send from all addresses. a broadcast address, which nobody can send from: "
        "127.255.255.255; leave it out. link-local without its interface: fe80::1; write it "
        "behind, as in fe80::1%eth0. no such interface: no-such-if; 'ip link' shows those there "
        "are");
}
