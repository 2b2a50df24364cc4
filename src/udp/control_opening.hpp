// The client's first words on the control channel, before there is a thread: hello, the server's
// welcome, and the clocks compared; or only the question what the server is and has room for. And
// the way both speak: one message a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "udp/clocks.hpp"
#include "udp/control.hpp"
#include "udp/line_socket.hpp"

namespace udp {

// Throws 69 when the connection broke.
void say(LineSocket& socket, const std::string& text);
void say(LineSocket& socket, const control::Message& message);

// The next one that was received already. Throws 76 for a line without end.
std::optional<control::Message> next_message(LineSocket& socket);

struct Opening {
  uint64_t cookie = 0;
  bool echo = false;
  OffsetEstimate estimate;
  Offset offset{};  // what the server was told
};

// Opens a session and compares the clocks (16 exchanges, one right after the other), in answer_ms
// altogether. Throws 69 for a server that refuses or does not answer in time, 76 for one that
// speaks something else, 130 for a stop.
Opening open_session(LineSocket& socket, const SessionRequest& request, int64_t answer_ms);

// Opens no session: the server has nothing to report of it afterwards. Nothing of an older server,
// which does not know the question. Throws what open_session() throws.
std::optional<control::Abilities> ask_abilities(LineSocket& socket, int64_t answer_ms);

}  // namespace udp
