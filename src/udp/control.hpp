// The control channel: lines of JSON over TCP, on the same port number as the packets. Messages as
// plain structs here; who speaks them is in control_client.hpp and control_server.hpp.
//
//   client -> server                              server -> client
//   {"hello":1,"clients":…,"packet_size":…,…}     {"session":"16 hex digits","echo":…,"version":…}
//   {"resume":"16 hex digits"}                    the same, or {"error":"…","code":66}
//   {"ping":T1}                                   {"pong":T1,"t2":T2,"t3":T3}      ns, own clocks
//   {"offset_ns":…,"bound_ns":…}
//   {"begin_ns":T}
//                                                 {"second":K,"received":…,…}      once a second
//   {"end":{"packets":[…],"errors":[…],"seconds":[…]}}
//                                                 {"report":{…}}
// Instead of a hello, to know a server without opening a session:
//   {"about":1}                                   {"abilities":1,"version":…,"callers":…,…}
//
// Unknown members are ignored, so that versions can differ; another "hello" number is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "udp/clocks.hpp"
#include "udp/report.hpp"
#include "udp/session.hpp"

namespace udp::control {

struct Hello {
  SessionRequest request;
};
struct Resume {
  uint64_t cookie = 0;
};
struct Welcome {
  uint64_t cookie = 0;
  bool echo = false;
};
struct Refusal {
  std::string text;
  int code = 0;
};
struct Ping {
  int64_t t1_ns = 0;
};
struct Pong {
  int64_t t1_ns = 0, t2_ns = 0, t3_ns = 0;
};
struct OffsetIs {
  Offset offset;
};
struct Begin {
  int64_t begin_ns = 0;
};
struct Second {
  Sessions::Progress progress;
};
struct End {
  Sent sent;
};
struct FinalReport {
  Received received;
  std::vector<uint64_t> echoes;
};

struct About {};
struct Abilities {
  std::string version;
  Sessions::Room room;
};

using Message = std::variant<Hello, Resume, Welcome, Refusal, Ping, Pong, OffsetIs, Begin, Second,
                             End, FinalReport, About, Abilities>;

// One line, with its "\n".
std::string write(const Message& message);

// Throws 76 for what is no message ("the other side's words are none of this tool's: …"), and for a
// number out of range. Nothing for an object without a known member.
std::optional<Message> read(const std::string& line);

}  // namespace udp::control
