// Whether a URL's host can be reached, without asking it for anything.
#pragma once

#include <cstdint>
#include <string>

#include "net/curl.hpp"

namespace net {

// Connects as for a request to this URL, proxy and TLS included, and sends no request. Throws
// HttpError: 69, 78.
void try_connection(const std::string& url, const CurlOptions& options, int64_t timeout_ms);

}  // namespace net
