#include "net/hmac.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/error.hpp"

namespace net {

std::string hmac_sha256_hex(std::string_view key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const char* const bytes = key.empty() ? "" : key.data();  // OpenSSL takes no null for a key
  if (HMAC(EVP_sha256(), bytes, static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest.data(),
           &size) == nullptr) {
    throw base::Error(base::exit_our_bug, "OpenSSL computes no HMAC; please report this");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (size_t at = 0; at < size; ++at) {
    hex += kDigits[digest[at] >> 4U];
    hex += kDigits[digest[at] & 0xFU];
  }
  return hex;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace net
