#include "azure/retry.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "net/retry.hpp"

namespace azure {

namespace {

constexpr int kRequestTimeout = 408;
constexpr int kTooManyRequests = 429;

}  // namespace

std::optional<int64_t> wait_asked_ms(const net::HttpResponse& response, int64_t now_unix_s) {
  net::HttpResponse reply{response.status, response.headers, ""};
  if (reply.status == kRequestTimeout) reply.status = kTooManyRequests;  // the same rules for both
  const auto by_http_ms = net::retry_after_ms(reply, now_unix_s);
  if (!by_http_ms) return std::nullopt;
  for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    int64_t asked_ms = 0;
    const bool is_usable = base::read_number(net::header(reply, name), asked_ms) && asked_ms >= 0;
    if (is_usable) return std::min(asked_ms, net::kLongestAskedMs);
  }
  return by_http_ms;
}

}  // namespace azure
