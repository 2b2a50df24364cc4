// udp-load: a UDP load test for VPNs and VoIP.
#pragma once

#include <string>
#include <vector>

#include "commands/command.hpp"

namespace commands {

Run add_udp_load(CLI::App& app, const base::Env& env);

}  // namespace commands
