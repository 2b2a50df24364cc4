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

class ControlClient {
 public:
  // connect: a connected TCP socket (the caller of this gives it, as it knows how to reach the
  // server); called again to come back after the connection broke. May throw base::Error.
  using Connect = std::function<int()>;

  // Opens a session and compares the clocks (16 exchanges, 50 ms at most between them none).
  // Throws what connect throws, 69 for a server that refuses or does not answer within 5 s, 76 for
  // one that speaks something else.
  ControlClient(Connect connect, const SessionRequest& request);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  uint64_t cookie() const;
  bool echo() const;      // the server's answer
  Offset offset() const;  // the best estimate there is; thread-safe
  int64_t worst_bound_ns() const;

  // From here on a thread exchanges time stamps once a second, passes seconds on (called on that
  // thread), and comes back with "resume" once a second after the connection broke.
  void start(int64_t begin_ns, std::function<void(const Sessions::Progress&)> on_second);

  // Says that all is sent and waits for the report, up to wait_ms, also over a new connection.
  // Nothing when none came; why() says why.
  std::optional<control::FinalReport> finish(const Sent& sent, int64_t wait_ms);
  std::string why() const;  // "the control connection broke 12 s after the beginning: …"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace udp
