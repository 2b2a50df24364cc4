#include "net/http2_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "net/tcp.hpp"

namespace net {

namespace {

constexpr int64_t kLookForStopMs = 100;

}  // namespace

// --- Connecting ---

Http2Socket::Http2Socket(const std::string& host, uint16_t port, const Http2Options& options,
                         int64_t until_ms)
    : place_(authority(host, port)), socket_(connect_tcp(place_, "", until_ms)) {
  if (!options.tls) return;
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  tls_ = new_tls(socket_.fd, in_brackets ? host.substr(1, host.size() - 2) : host, options);
  shake_hands(options.ca, until_ms);
  check_alpn(tls_.get(), place_);
}

void Http2Socket::shake_hands(const CaLocation& ca, int64_t until_ms) {
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(tls_.get());
    if (result == 1) return;
    const int why = SSL_get_error(tls_.get(), result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      throw handshake_failure(tls_.get(), place_, ca);
    }
    const int64_t left_ms = until_ms - base::monotonic_ms();
    if (left_ms <= 0) throw connect_too_late(place_);
    const bool writes = why == SSL_ERROR_WANT_WRITE;
    pollfd socket{socket_.fd, static_cast<short>(writes ? POLLOUT : POLLIN), 0};
    ::poll(&socket, 1, static_cast<int>(std::min(left_ms, kLookForStopMs)));
    if (base::stop_asked()) throw connect_stopped();
  }
}

// --- Bytes ---

base::Error Http2Socket::broken_tcp(int error) const {
  return {base::exit_retries_spent,
          fmt::format("the connection to {} broke: {}", place_,
                      error == 0 ? "the server ended it" : std::strerror(error))};
}

size_t Http2Socket::read(char* to, size_t most) {
  if (over_) throw base::Error(*over_);
  if (tls_ != nullptr) return read_tls(to, most);
  while (true) {
    const ssize_t got = ::recv(socket_.fd, to, most, 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    over_ = broken_tcp(got == 0 ? 0 : errno);
    throw base::Error(*over_);
  }
}

// One read gives one record at most.
size_t Http2Socket::read_tls(char* to, size_t most) {
  size_t size = 0;
  events_to_read_ = POLLIN;
  while (size < most) {
    ERR_clear_error();
    errno = 0;
    size_t got = 0;
    const int result = SSL_read_ex(tls_.get(), to + size, most - size, &got);
    size += got;
    if (result == 1) continue;
    const int why = SSL_get_error(tls_.get(), result);
    if (why == SSL_ERROR_WANT_WRITE) events_to_read_ = POLLOUT;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) break;
    over_ = broken_tls(why, errno, place_);
    break;
  }
  if (size == 0 && over_) throw base::Error(*over_);
  return size;
}

size_t Http2Socket::write(std::string_view bytes) {
  if (broken_ || bytes.empty()) return 0;
  if (tls_ != nullptr) return write_tls(bytes);
  while (true) {
    const ssize_t sent = ::send(socket_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) broken_ = broken_tcp(errno);
    return 0;
  }
}

size_t Http2Socket::write_tls(std::string_view bytes) {
  events_to_write_ = POLLOUT;
  ERR_clear_error();
  errno = 0;
  size_t sent = 0;
  const int result = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent);
  if (result == 1) return sent;
  const int why = SSL_get_error(tls_.get(), result);
  if (why == SSL_ERROR_WANT_READ) events_to_write_ = POLLIN;
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    broken_ = broken_tls(why, errno, place_);
  }
  return 0;
}

void Http2Socket::close() {
  if (tls_ == nullptr || over_ || broken_) return;
  SSL_shutdown(tls_.get());
  ERR_clear_error();
}

}  // namespace net
