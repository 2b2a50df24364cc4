// The client's side of the control channel, with a thread of its own while the test runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "udp/address.hpp"
#include "udp/control.hpp"
#include "udp/session.hpp"

namespace udp {

struct ControlWaits {
  int64_t answer_ms = 5000;  // silence for so long counts as a broken connection
  int64_t ping_ms = 1000;    // from one exchange of time stamps to the next
  int64_t again_ms = 1000;   // from a break to coming back
};

class ControlClient {
 public:
  // connect: a connected TCP socket (the caller of this gives it, as it knows how to reach the
  // server); called again to come back after the connection broke. May throw base::Error.
  using Connect = std::function<int()>;

  // Opens a session and compares the clocks (16 exchanges, one right after the other). Throws what
  // connect throws, 69 for a server that refuses or does not answer in time, 76 for one that speaks
  // something else, 130 for a stop.
  ControlClient(Connect connect, const SessionRequest& request, ControlWaits waits = {});
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  uint64_t cookie() const;
  bool echo() const;      // the server's answer
  Offset offset() const;  // the best estimate there is; thread-safe
  // The one that the server was told before the beginning: echoes are stamped by it.
  Offset first_offset() const;
  int64_t worst_bound_ns() const;

  // From here on a thread exchanges time stamps once a second, passes seconds on (called on that
  // thread), and comes back with "resume" once a second after the connection broke.
  void start(int64_t begin_ns, std::function<void(const Sessions::Progress&)> on_second);

  // After start(): says that all is sent and waits for the report, up to wait_ms, also over a new
  // connection. A stop that was asked for does not end the wait, but no new connection is made
  // (connect throws 130). Nothing when none came; why() says why.
  std::optional<control::FinalReport> finish(const Sent& sent, int64_t wait_ms);
  std::string why() const;  // "the control connection broke 12 s after the beginning: …"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace udp
