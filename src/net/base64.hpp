// Base64 (RFC 4648) by OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace net {

// With "=" at the end, in one line.
std::string base64(std::string_view bytes);

// The alphabet for URLs and tokens (RFC 4648 section 5), without "=".
std::string base64url(std::string_view bytes);

// Either alphabet, with or without "="; line breaks and spaces are skipped. Nothing for any other
// character and for a length that can't be.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace net
