// Signatures by a shared secret, as webhooks carry them: HMAC with SHA-256 (RFC 2104, FIPS 180-4).
#pragma once

#include <string>
#include <string_view>

namespace net {

// 64 hexadecimal digits in lower case. Throws 70 when OpenSSL can't.
std::string hmac_sha256_hex(std::string_view key, std::string_view data);

// Whether both are the same bytes, in a time that depends on their lengths only, so that nobody
// finds a signature out by measuring.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace net
