// When Azure wants to be asked again: for net::RetryPolicy, by the rules of Azure's own clients.
// Source: @azure/core-rest-pipeline's throttlingRetryStrategy, azcore's retry policy.
#pragma once

#include <cstdint>
#include <optional>

#include "net/http.hpp"

namespace azure {

// 408, 429 and 5xx: the wait in ms that the first usable of retry-after-ms, x-ms-retry-after-ms and
// Retry-After asks for, at most a day; 0 when there is none. Anything else: nothing.
std::optional<int64_t> wait_asked_ms(const net::HttpResponse& response, int64_t now_unix_s);

}  // namespace azure
