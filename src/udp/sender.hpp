// Sends the voice of all callers by the plan, on one thread, and collects echoes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "udp/callers.hpp"
#include "udp/clocks.hpp"
#include "udp/plan.hpp"
#include "udp/report.hpp"
#include "udp/session.hpp"
#include "udp/socket.hpp"

namespace udp {

// What another thread may look at while it runs.
struct SendingNow {
  std::array<std::atomic<uint64_t>, 16> by_second{};  // sent, by second modulo 16
  std::atomic<int64_t> worst_late_us = 0;  // in this second so far; the looker sets it to 0
};

struct SendOptions {
  Load load;
  std::vector<From> callers;  // empty: one route for all
  Address server;
  SocketOptions sockets;
  uint64_t cookie = 0;
  bool echo = false;
  double jitter_buffer_ms = 60;
  std::function<Offset()> offset;  // of the server's clock
  int64_t first_offset_ns = 0;     // the one that the server was told before the beginning
  std::function<bool()> stop;      // looked at once a tick
};

struct SendOutcome {
  Sent sent;
  Received back;               // echo mode
  std::vector<Histogram> rtt;  // by client, echo mode
  uint64_t sockets = 0;        // fewer than callers: they share
  bool is_stopped = false;
};

class Sender {
 public:
  // Opens the sockets. Throws as open_caller() does, and 78 for packets over the MTU (with the size
  // that fits), unless they may be fragmented.
  explicit Sender(SendOptions options);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  uint64_t sockets() const { return fds_.size(); }
  // begin_ns: by the monotonic clock; in the near future. With echo it goes on collecting for
  // `drain_ns` after the last packet, or after a stop.
  SendOutcome run(int64_t begin_ns, int64_t drain_ns, SendingNow& now);

 private:
  struct Run;
  SendOutcome send_all(int64_t begin_ns, int64_t drain_ns, SendingNow& now);
  const From& from(uint32_t client) const;
  void check_size(int fd, uint32_t client) const;
  void close_all();

  SendOptions options_;
  Plan plan_;
  std::vector<int> fds_;
  bool is_shared_ = false;
};

}  // namespace udp
