// The server's sessions: one for each client that opened one over the control channel. The data
// thread hands packets in, the control thread opens, asks and closes; a mutex stands between them,
// taken once a drain of the socket, not once a packet.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "udp/address.hpp"
#include "udp/clocks.hpp"
#include "udp/flow.hpp"
#include "udp/packet.hpp"
#include "udp/report.hpp"

namespace udp {

// What a client asks for when it opens a session.
struct SessionRequest {
  uint32_t clients = 1;
  size_t packet_size = 160;
  double bps = 68'000;
  double seconds = 10;  // from the first packet's time to the last
  bool echo = false;
  double jitter_buffer_ms = 60;
  Codec codec;
};

struct SessionLimits {
  size_t sessions = 16;
  uint32_t clients = 100'000;  // of all sessions together
  double seconds = 90'000;     // of one
};

// Receives the packets of one direction: the server's of a session, the client's of the echoes.
class Receiver {
 public:
  Receiver(uint32_t clients, double packets_per_second, double seconds, double jitter_buffer_ms);

  struct Taken {
    bool is_counted = false;  // false: a client number that there is none of
    bool is_new = false;
  };
  // transit_ns as Flow::take(). `from` is remembered of a caller's first packet.
  Taken take(const Packet& packet, int64_t transit_ns, int64_t offset_ns, const Address& from);
  Received result() const;
  const SecondResult* second(int64_t number) const;  // nullptr: none came

 private:
  int64_t buffer_ns_;
  size_t most_seconds_;
  std::vector<Flow> flows_;
  std::vector<Address> seen_;
  std::vector<SecondResult> seconds_;
};

// Of the whole server.
struct Tallies {
  uint64_t queue_drops = 0;
  uint64_t other = 0;  // well-formed, but of no open session, or from outside of --allow
  uint64_t malformed = 0;
  uint64_t clock_steps = 0;
};

struct Session {
  uint64_t cookie = 0;
  SessionRequest request;
  int64_t opened_ns = 0;  // all times by the server's monotonic clock, but for begin_ns
  int64_t started_unix_s = 0;
  int64_t last_packet_ns = 0;  // 0: none yet
  int64_t begin_ns = 0;        // by the client's clock: what intended times count from; 0: not yet
  int64_t begun_ns = 0;        // when it said so
  Offset offset{};             // the server's clock minus the client's
  bool is_offset_known = false;
  int64_t first_offset_ns = 0;  // when it began: what echoes are stamped by
  int64_t worst_bound_ns = 0;
  Receiver receiver;
  std::vector<uint64_t> echoes;  // by client: sent back
  Tallies before{};              // the server's when it was opened
  std::optional<Sent> sent;      // what the client said at its end: only packets, seconds, errors
  bool is_connected = true;      // its control connection stands
  int64_t disconnected_ns = 0;   // since when it does not
  bool is_ended = false;         // its report is due
  bool is_reported = false;
  int64_t ended_ns = 0;
};

class Sessions {
 public:
  explicit Sessions(SessionLimits limits) : limits_(limits) {}

  // For the control thread. All throw base::Error: 75 when there are too many, 65 for a request
  // that can't be, 66 for a cookie of no session.
  uint64_t open(const SessionRequest& request);  // the cookie
  void begin(uint64_t cookie, int64_t begin_ns);
  void set_offset(uint64_t cookie, Offset offset);
  void set_connected(uint64_t cookie, bool is_connected);  // also to see whether it is there
  Received received(uint64_t cookie) const;
  std::vector<uint64_t> echoes(uint64_t cookie) const;
  // Ends it: its report is due. 65 when `sent` can't be of this test.
  void end(uint64_t cookie, std::optional<Sent> sent);
  struct Progress {
    int64_t second = -1;  // the last whole one, about 2 s ago; -1: none yet
    SecondResult result{};
  };
  Progress progress(uint64_t cookie) const;

  // For the one who prints: sessions that ended since the last call, also those whose client
  // vanished: no connection, and no packet for 5 s or past its time by 5 s. They are forgotten 60 s
  // later; until then a client may come back for its report.
  struct Ended {
    SessionRequest request;
    int64_t started_unix_s = 0;
    std::optional<Sent> sent;
    Received received;
    std::string why;  // "" as agreed; "the client vanished"
  };
  std::vector<Ended> take_ended(int64_t now_ns, bool all);

  size_t open_count() const;  // not ended
  struct Room {
    uint64_t sessions = 0, most_sessions = 0;
    uint64_t callers = 0, most_callers = 0;
  };
  Room room() const;      // what is taken of it by those that have not ended
  bool has_echo() const;  // whether one of these wants echoes

  // For the data thread: calls `use` with all sessions locked.
  void locked(
      const std::function<void(std::map<uint64_t, Session>& sessions, Tallies& tallies)>& use);

 private:
  Session& find(uint64_t cookie);
  const Session& find(uint64_t cookie) const;
  bool make_room(uint32_t clients);
  Received received_of(const Session& session) const;
  static std::string why_over(const Session& session, int64_t now_ns);

  SessionLimits limits_;
  mutable std::mutex mutex_;
  std::map<uint64_t, Session> sessions_;
  Tallies tallies_;
};

// The server's own report of a session.
Report session_report(const Sessions::Ended& ended);

}  // namespace udp
