// When Azure wants to be asked again: for net::RetryPolicy, by the rules of Azure's own clients.
// Source: @azure/core-rest-pipeline's throttlingRetryStrategy, azcore's retry policy.
#pragma once

#include <cstdint>
#include <optional>

#include "net/http.hpp"

namespace azure {

// The wait in ms that the first usable of retry-after-ms, x-ms-retry-after-ms and Retry-After asks
// for, at most a day; 0 when there is none.
int64_t asked_wait_ms(const net::HttpResponse& reply, int64_t now_unix_s);

// The same for 408, 429 and 5xx. Anything else: nothing.
std::optional<int64_t> wait_asked_ms(const net::HttpResponse& reply, int64_t now_unix_s);

}  // namespace azure
