#include "udp/line_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "udp/clocks.hpp"

namespace udp {

namespace {

constexpr size_t kOneRead = 65'536;
constexpr size_t kKept = 1'048'576;  // memory kept for what will be sent

bool is_only_later(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

// The kernel gives up on a side that is gone without a word: one that acknowledges nothing for 15
// s.
LineSocket::LineSocket(int fd) : fd_(fd) {
  const int yes = 1;
  const int probe_s = 5;
  const int probes = 3;
  const unsigned int most_ms = 15'000;
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &probe_s, sizeof probe_s);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe_s, sizeof probe_s);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most_ms, sizeof most_ms);
}

LineSocket::~LineSocket() {
  ::close(fd_);
}

bool LineSocket::receive() {
  if (line_begin_ > 0) {
    in_.erase(0, line_begin_);
    looked_to_ -= line_begin_;
    line_begin_ = 0;
  }
  const size_t before = in_.size();
  in_.resize(before + kOneRead);
  const ssize_t got = ::recv(fd_, in_.data() + before, kOneRead, 0);
  const int error = errno;
  received_ns_ = monotonic_ns();
  in_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0 || (got < 0 && is_only_later(error))) return true;
  why_ = got == 0 ? "the other side closed it" : std::generic_category().message(error);
  return false;
}

std::optional<std::string> LineSocket::next_line() {
  const size_t end = in_.find('\n', looked_to_);
  if (end == std::string::npos) {
    looked_to_ = in_.size();
    return std::nullopt;
  }
  std::string line = in_.substr(line_begin_, end - line_begin_);
  line_begin_ = looked_to_ = end + 1;
  return line;
}

bool LineSocket::send(const std::string& text) {
  if (sent_ > out_.size() / 2) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  out_ += text;
  return flush();
}

bool LineSocket::flush() {
  while (sent_ < out_.size()) {
    const ssize_t sent = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0) {
      if (is_only_later(errno)) return true;
      why_ = std::generic_category().message(errno);
      return false;
    }
    sent_ += static_cast<size_t>(sent);
  }
  out_.clear();
  if (out_.capacity() > kKept) out_.shrink_to_fit();
  sent_ = 0;
  return true;
}

void LineSocket::end_sending() const {
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace udp
