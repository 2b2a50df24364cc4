// What a server is and has room for, asked on the control channel without opening a session: the
// server has nothing to report of it afterwards.
#pragma once

#include <cstdint>
#include <optional>

#include "udp/control.hpp"
#include "udp/line_socket.hpp"

namespace udp {

// Nothing of an older server, which does not know the question. Throws 69 for a server that breaks
// off or does not answer in time, 76 for one that speaks something else, 130 for a stop.
std::optional<control::Abilities> ask_abilities(LineSocket& socket, int64_t answer_ms);

}  // namespace udp
