// The two ends of a test: the server's address, and the callers' on this machine.
#pragma once

#include <string>
#include <vector>

#include "commands/udp_options.hpp"

namespace commands {

struct UdpEnds {
  udp::Address server;
  std::vector<udp::From> callers;  // of one family with the server
  std::string place;               // of the control channel
  // How the control connection leaves this machine: as the first caller does (libcurl's words).
  std::string way;
};

// Throws as net::connect_tcp(). Also by another way than that, when it leads nowhere.
int connect_udp_control(const std::string& place, const std::string& way);

// The server, asking for the address of a name by connecting to it; then the callers, which must be
// on this machine. Throw as net::connect_tcp(), udp::callers_from() and udp::check_callers().
void find_udp_server(const UdpTest& test, UdpEnds& ends);
void find_udp_callers(const UdpTest& test, UdpEnds& ends);

UdpEnds find_udp_ends(const UdpTest& test);

}  // namespace commands
