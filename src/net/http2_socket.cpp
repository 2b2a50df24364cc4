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
#include "base/text.hpp"
#include "net/curl_connection.hpp"
#include "net/url.hpp"

namespace net {

namespace {

constexpr int64_t kLookForStopMs = 100;

base::Error stopped() {
  return {base::exit_interrupted, "stopped while the connection was made"};
}

base::Error too_late(const std::string& place) {
  return {base::exit_unavailable,
          fmt::format("can't connect to {} in time; is the address right, and no firewall between?",
                      place)};
}

base::Error no_connection(CURL* curl, CURLcode code, const char* details,
                          const std::string& place) {
  if (code == CURLE_OPERATION_TIMEDOUT) return too_late(place);
  long error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
  const bool by_system = code == CURLE_COULDNT_CONNECT && error != 0;
  const std::string why =
      by_system ? std::strerror(static_cast<int>(error)) : words_of(code, details);
  const char* remedy = code == CURLE_COULDNT_RESOLVE_HOST
                           ? "check the name"
                           : "does the server run, and is this its address?";
  return {base::exit_unavailable, fmt::format("can't connect to {}: {}; {}", place, why, remedy)};
}

// The handle's transfer, with a look at whether a stop was asked for.
CURLcode perform(CURLM* all, CURL* curl) {
  curl_multi_add_handle(all, curl);
  int running = 1;
  while (true) {
    if (curl_multi_perform(all, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    curl_multi_poll(all, nullptr, 0, kLookForStopMs, nullptr);
    if (base::stop_asked()) return CURLE_ABORTED_BY_CALLBACK;
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(all, &left);
  // curl's type; NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access)
  return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

// curl's socket is its own; what is given back is a second descriptor of the same connection.
int connect_tcp(const std::string& place, int64_t until_ms) {
  const std::string url = "http://" + place;
  if (!is_http_url(url) || origin(url) != base::lower_ascii(url)) {
    throw base::Error(base::exit_configuration, fmt::format("{} is no host and port", place));
  }
  const CurlHandle curl = new_curl_handle();
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> all(curl_multi_init(),
                                                                  curl_multi_cleanup);
  if (all == nullptr) throw base::Error(base::exit_our_bug, "libcurl gives no handle");
  char details[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<int64_t>(until_ms - base::monotonic_ms(), 1)));

  const CURLcode code = perform(all.get(), curl.get());
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (code == CURLE_OK) curl_easy_getinfo(curl.get(), CURLINFO_ACTIVESOCKET, &socket);
  const int descriptor = socket == CURL_SOCKET_BAD ? -1 : ::fcntl(socket, F_DUPFD_CLOEXEC, 3);
  curl_multi_remove_handle(all.get(), curl.get());
  if (code == CURLE_ABORTED_BY_CALLBACK) throw stopped();
  if (code != CURLE_OK) throw no_connection(curl.get(), code, details, place);
  if (descriptor < 0) throw base::Error(base::exit_our_bug, "no descriptor for a connection");
  return descriptor;
}

}  // namespace

std::string authority(const std::string& host, uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// --- Connecting ---

Http2Socket::Http2Socket(const std::string& host, uint16_t port, const Http2Options& options,
                         int64_t until_ms)
    : place_(authority(host, port)), socket_(connect_tcp(place_, until_ms)) {
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
    if (left_ms <= 0) throw too_late(place_);
    const bool writes = why == SSL_ERROR_WANT_WRITE;
    pollfd socket{socket_.fd, static_cast<short>(writes ? POLLOUT : POLLIN), 0};
    ::poll(&socket, 1, static_cast<int>(std::min(left_ms, kLookForStopMs)));
    if (base::stop_asked()) throw stopped();
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
