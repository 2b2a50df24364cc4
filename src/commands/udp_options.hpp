// udp-load's options, which of them go with which job, and what they mean for the modules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/help.hpp"
#include "commands/options.hpp"
#include "udp/address.hpp"
#include "udp/callers.hpp"
#include "udp/plan.hpp"
#include "udp/report.hpp"
#include "udp/socket.hpp"

namespace commands {

inline constexpr const char* kUdpLoad = "udp-load";

std::vector<Option> udp_options();
Page udp_help();

enum class UdpJob { client, server, demo, routes, merge };

// The job that the first word asks for. Throws 64 for options that have no effect on it.
UdpJob read_udp_job(const Options& options);

// What the client is to do. Throws 64.
struct UdpTest {
  udp::HostPort host;
  udp::Load load;
  udp::CallerChoice callers;
  udp::SocketOptions sockets;
  udp::Codec codec;
  double jitter_buffer_ms = 60;
  bool echo = false;
};
UdpTest read_udp_test(const Options& options);

udp::Limits read_udp_limits(const Options& options);

}  // namespace commands
