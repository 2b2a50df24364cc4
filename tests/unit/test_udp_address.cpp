#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "udp/address.hpp"

namespace {

// "HOST PORT", or the error's text.
std::string host_port(const std::string& text) {
  try {
    const udp::HostPort place = udp::read_host_port(text, 5001, "--host");
    return place.host + " " + std::to_string(place.port);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_usage);
    return error.what();
  }
}

// "NETWORK/BITS", or the error's text.
std::string cidr(const std::string& text) {
  try {
    const udp::Cidr read = udp::read_cidr(text, "--allow");
    return read.network.text() + "/" + std::to_string(read.bits);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_usage);
    return error.what();
  }
}

}  // namespace

TEST_CASE("udp address: digits are read and written, names are not") {
  for (const char* text : {"10.8.0.2", "fd00::2", "::", "::ffff:10.8.0.2", "fe80::1%1"}) {
    CAPTURE(text);
    const std::optional<udp::Address> address = udp::read_address(text);
    REQUIRE(address);
    CHECK(address->text() == text);
  }
  for (const char* text : {"", "localhost", "10.8.0", "10.8.0.256", "010.8.0.2", "10.8.0.2:5001",
                           "[::1]", "fe80::1%", "fe80::1%no-such-if", "10.8.0.2 "}) {
    CAPTURE(text);
    CHECK_FALSE(udp::read_address(text));
  }
  CHECK_FALSE(udp::read_address(std::string("10.8.0.2\0behind", 15)));
}

TEST_CASE("udp address: the port is set, shown and compared") {
  udp::Address v4 = *udp::read_address("10.8.0.2");
  udp::Address v6 = *udp::read_address("fd00::2");
  CHECK(v4.port() == 0);
  v4.set_port(5001);
  v6.set_port(65535);
  CHECK(v4.with_port() == "10.8.0.2:5001");
  CHECK(v6.with_port() == "[fd00::2]:65535");
  CHECK(v4 == v4);
  CHECK_FALSE(v4 == *udp::read_address("10.8.0.2"));
  CHECK_FALSE(*udp::read_address("::10.8.0.2") == *udp::read_address("10.8.0.2"));
  CHECK_FALSE(*udp::read_address("fe80::1%1") == *udp::read_address("fe80::1%2"));
  CHECK(udp::Address().text().empty());
}

TEST_CASE("udp address: steps carry over all bytes and end with the last address") {
  struct Row {
    std::string first;
    uint64_t steps;
    std::string after;
  };
  const std::vector<Row> rows = {
      {"10.8.0.2", 0, "10.8.0.2"},
      {"10.8.0.255", 1, "10.8.1.0"},
      {"10.8.0.2", 65'535, "10.9.0.1"},
      {"10.255.255.255", 1, "11.0.0.0"},
      {"255.255.255.254", 1, "255.255.255.255"},
      {"255.255.255.255", 1, "none"},
      {"0.0.0.0", uint64_t{1} << 32U, "none"},
      {"fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::"},
      {"fd00::1", ~uint64_t{0}, "fd00:0:0:1::"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, "none"},
      {"fe80::1%1", 1, "fe80::2%1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.first);
    const std::optional<udp::Address> after =
        udp::address_after(*udp::read_address(row.first), row.steps);
    CHECK((after ? after->text() : "none") == row.after);
  }
}

TEST_CASE("udp address: a network is read without its host bits") {
  const std::string no_network = ", which is no address or network, like 10.8.0.2 or 10.8.0.0/16";
  struct Row {
    std::string text, read;
  };
  const std::vector<Row> rows = {
      {"10.8.0.0/16", "10.8.0.0/16"},
      {"10.8.255.2/17", "10.8.128.0/17"},
      {"10.8.0.2", "10.8.0.2/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"fd00:1::5/64", "fd00:1::/64"},
      {"::1", "::1/128"},
      {"::ffff:10.8.0.9/120", "10.8.0.0/24"},
      {"10.8.0.0/33", "--allow is '10.8.0.0/33', where a number from 0 to 32 must follow the '/'"},
      {"::/x", "--allow is '::/x', where a number from 0 to 128 must follow the '/'"},
      {"10.8.0.0/", "--allow is '10.8.0.0/', where a number from 0 to 32 must follow the '/'"},
      {"10.8.0.0/-1", "--allow is '10.8.0.0/-1', where a number from 0 to 32 must follow the '/'"},
      {"vpn/8", "--allow is 'vpn/8'" + no_network},
      {"", "--allow is ''" + no_network},
  };
  for (const Row& row : rows) CHECK(cidr(row.text) == row.read);
}

TEST_CASE("udp address: a network holds its addresses, IPv4 ones in IPv6 too, no others") {
  struct Row {
    std::string network, address;
    bool holds;
  };
  const std::vector<Row> rows = {
      {"10.8.0.0/16", "10.8.255.255", true},
      {"10.8.0.0/16", "10.9.0.0", false},
      {"10.8.0.0/16", "::ffff:10.8.0.1", true},
      {"10.8.0.0/16", "::10.8.0.1", false},
      {"10.8.0.128/25", "10.8.0.127", false},
      {"0.0.0.0/0", "203.0.113.1", true},
      {"0.0.0.0/0", "fd00::1", false},
      {"::/0", "fd00::1", true},
      {"::/0", "::ffff:10.8.0.1", false},
      {"fd00::/7", "fc12::1", true},
      {"fd00::1", "fd00::1", true},
      {"fd00::1", "fd00::2", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.network);
    CAPTURE(row.address);
    udp::Address address = *udp::read_address(row.address);
    address.set_port(4711);
    CHECK(udp::read_cidr(row.network, "--allow").holds(address) == row.holds);
  }
}

TEST_CASE("udp address: host and port are told apart") {
  const std::string no_host = ", which names no host; write HOST or HOST:PORT, like 10.0.0.1:5001";
  const std::string bad_port = ", whose port is not a number from 1 to 65535";
  struct Row {
    std::string text, read;
  };
  const std::vector<Row> rows = {
      {"10.0.0.1", "10.0.0.1 5001"},
      {"10.0.0.1:7000", "10.0.0.1 7000"},
      {"vpn.example.com:1", "vpn.example.com 1"},
      {"fd00::2", "fd00::2 5001"},
      {"[fd00::2]", "fd00::2 5001"},
      {"[fd00::2]:7000", "fd00::2 7000"},
      {"", "--host is ''" + no_host},
      {":5001", "--host is ':5001'" + no_host},
      {"a b", "--host is 'a b'" + no_host},
      {"http://vpn", "--host is 'http://vpn'" + bad_port},
      {"vpn:", "--host is 'vpn:'" + bad_port},
      {"vpn:0", "--host is 'vpn:0'" + bad_port},
      {"vpn:65536", "--host is 'vpn:65536'" + bad_port},
      {"vpn:1:2", "--host is 'vpn:1:2', which is neither HOST:PORT nor an IPv6 address"},
      {"[fd00::2", "--host is '[fd00::2', whose brackets are not as in [fd00::2]:5001"},
      {"[fd00::2]x", "--host is '[fd00::2]x', whose brackets are not as in [fd00::2]:5001"},
      {"[vpn]:1", "--host is '[vpn]:1', where no IPv6 address stands within the brackets"},
      {"[fd00::2]:", "--host is '[fd00::2]:'" + bad_port},
  };
  for (const Row& row : rows) CHECK(host_port(row.text) == row.read);
}
