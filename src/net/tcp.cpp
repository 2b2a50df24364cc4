#include "net/tcp.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "net/curl_connection.hpp"
#include "net/url.hpp"

namespace net {

namespace {

constexpr int64_t kLookForStopMs = 100;

base::Error no_connection(CURL* curl, CURLcode code, const char* details,
                          const std::string& place) {
  if (code == CURLE_OPERATION_TIMEDOUT) return connect_too_late(place);
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

}  // namespace

base::Error connect_stopped() {
  return {base::exit_interrupted, "stopped while the connection was made"};
}

base::Error connect_too_late(const std::string& place) {
  return {base::exit_unavailable,
          fmt::format("can't connect to {} in time; is the address right, and no firewall between?",
                      place)};
}

std::string authority(const std::string& host, uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// curl's socket is its own; what is given back is a second descriptor of the same connection.
int connect_tcp(const std::string& place, const std::string& from, int64_t until_ms) {
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
  if (!from.empty()) curl_easy_setopt(curl.get(), CURLOPT_INTERFACE, from.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<int64_t>(until_ms - base::monotonic_ms(), 1)));

  const CURLcode code = perform(all.get(), curl.get());
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (code == CURLE_OK) curl_easy_getinfo(curl.get(), CURLINFO_ACTIVESOCKET, &socket);
  const int descriptor = socket == CURL_SOCKET_BAD ? -1 : ::fcntl(socket, F_DUPFD_CLOEXEC, 3);
  curl_multi_remove_handle(all.get(), curl.get());
  if (code == CURLE_ABORTED_BY_CALLBACK) throw connect_stopped();
  if (code != CURLE_OK) throw no_connection(curl.get(), code, details, place);
  if (descriptor < 0) throw base::Error(base::exit_our_bug, "no descriptor for a connection");
  return descriptor;
}

}  // namespace net
