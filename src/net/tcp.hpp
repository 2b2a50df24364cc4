// A plain TCP connection. Names are resolved and the addresses tried by libcurl (c-ares behind it);
// no proxy is used, whatever the environment says.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace net {

// "host:port", with brackets around an IPv6 address.
std::string authority(const std::string& host, uint16_t port);

// Connects to "host:port" until a time of the monotonic clock; the caller closes the descriptor.
// from: "" for any way; "host!10.8.0.2" from this address, "if!tun0" from this interface (libcurl's
// CURLOPT_INTERFACE). Throws 69 when nobody is reached in time, 78 for what is no host and port,
// 130 for a stop.
int connect_tcp(const std::string& place, const std::string& from, int64_t until_ms);

// Its errors, for who goes on where it ends, as TLS does: 130, and 69 that names the place.
base::Error connect_stopped();
base::Error connect_too_late(const std::string& place);

}  // namespace net
