// udp-load --check of a client, a server or the demo: what they need of this machine and of the
// server.
#pragma once

#include "commands/udp_options.hpp"

namespace commands {

// Prints what it finds; the exit code. Sends no packet and opens no session. Throws 64.
int check_udp_load(const Options& options, UdpJob job);

}  // namespace commands
