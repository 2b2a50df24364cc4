// udp-load client: runs one test, or several to find the largest number of callers.
#pragma once

#include "commands/options.hpp"
#include "commands/udp_options.hpp"
#include "udp/report.hpp"

namespace commands {

// One test: opens the session, sends, fetches the report. Throws as its parts do; a server that is
// lost on the way makes a report without a receiver.
udp::Report run_udp_test(const Options& options, const UdpTest& test, const udp::Limits& limits);

int run_udp_client(const Options& options);

// A server of its own and 100 callers on loopback; the test for it lacks the host. Throws 64.
UdpTest read_udp_demo(const Options& options);
int run_udp_demo(const Options& options);

}  // namespace commands
