// A TCP connection that speaks lines, for one thread. It never blocks: what the kernel does not
// take yet waits here. SIGPIPE must be ignored, as base::exit_on_signals() does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace udp {

class LineSocket {
 public:
  explicit LineSocket(int fd);  // its owner from now on
  ~LineSocket();
  LineSocket(const LineSocket&) = delete;
  LineSocket& operator=(const LineSocket&) = delete;

  int fd() const { return fd_; }

  // Takes what has arrived, up to 64 KiB. False when no more will come: closed, or broken.
  bool receive();
  int64_t received_ns() const { return received_ns_; }  // monotonic, right after the last read
  std::optional<std::string> next_line();               // without its end
  size_t unfinished() const { return in_.size() - line_begin_; }  // bytes, after next_line()

  // Sends, or keeps for flush(). False when the connection broke.
  bool send(const std::string& text);
  bool flush();
  size_t waiting() const { return out_.size() - sent_; }
  void end_sending() const;  // what was sent arrives, then the other side reads the end

  // Why receive() or send() failed: "the other side closed it", "Connection reset by peer".
  const std::string& why() const { return why_; }

 private:
  int fd_;
  std::string in_;
  size_t line_begin_ = 0;  // in in_
  size_t looked_to_ = 0;   // no line ends before it
  std::string out_;
  size_t sent_ = 0;  // of out_
  int64_t received_ns_ = 0;
  std::string why_;
};

}  // namespace udp
