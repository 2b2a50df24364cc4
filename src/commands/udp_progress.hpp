// What a person who waits is told of a running test, on standard error: on a terminal a row a
// second, else a line every ten seconds.
#pragma once

#include <cstdint>

#include "udp/emodel.hpp"
#include "udp/sender.hpp"
#include "udp/session.hpp"

namespace commands {

class UdpProgress {
 public:
  UdpProgress(const udp::SendingNow& now, udp::Codec codec, double jitter_buffer_ms, bool is_quiet);

  // What the server says of a second; on the control channel's thread.
  void look(const udp::Sessions::Progress& progress);

 private:
  const udp::SendingNow& now_;
  udp::Codec codec_;
  double jitter_buffer_ms_;
  bool is_quiet_;
  bool is_terminal_;
  bool has_head_ = false;
};

}  // namespace commands
