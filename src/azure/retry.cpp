#include "azure/retry.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "net/retry.hpp"

namespace azure {

namespace {

constexpr int kRequestTimeout = 408;
constexpr int kTooManyRequests = 429;

}  // namespace

int64_t asked_wait_ms(const net::HttpResponse& reply, int64_t now_unix_s) {
  for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    int64_t asked_ms = 0;
    const bool is_usable = base::read_number(net::header(reply, name), asked_ms) && asked_ms >= 0;
    if (is_usable) return std::min(asked_ms, net::kLongestAskedMs);
  }
  return net::retry_after_header_ms(reply, now_unix_s);
}

std::optional<int64_t> wait_asked_ms(const net::HttpResponse& reply, int64_t now_unix_s) {
  const bool is_again = reply.status == kRequestTimeout || reply.status == kTooManyRequests ||
                        (reply.status >= 500 && reply.status <= 599);
  if (!is_again) return std::nullopt;
  return asked_wait_ms(reply, now_unix_s);
}

}  // namespace azure
