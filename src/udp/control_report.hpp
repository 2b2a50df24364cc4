// The server's report on its way over the control channel: a column for each figure of the callers,
// so that 65,000 of them make some MB.
#pragma once

#include "json/value.hpp"
#include "udp/control.hpp"

namespace udp::control {

json::Value report_out(const FinalReport& report);

// Throws 76.
FinalReport report_in(const json::Value& value);

}  // namespace udp::control
