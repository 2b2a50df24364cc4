// Dates as HTTP has them (RFC 9110 5.6.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace net {

// Seconds since 1970; nothing when it is none.
std::optional<int64_t> date_unix_s(const std::string& date);

}  // namespace net
