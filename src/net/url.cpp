#include "net/url.hpp"

#include <fmt/format.h>

#include <cctype>

#include "base/text.hpp"

namespace net {

namespace {

size_t scheme_length(std::string_view url) {
  const std::string start = base::lower_ascii(url.substr(0, 8));
  if (start == "https://") return 8;
  return start.starts_with("http://") ? 7 : 0;
}

}  // namespace

bool is_http_url(std::string_view url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) return false;
  }
  const std::string with_host = origin(url);
  return !with_host.empty() && !with_host.ends_with('/') && with_host.back() != ':';
}

std::string origin(std::string_view url) {
  const size_t scheme = scheme_length(url);
  if (scheme == 0) return "";
  const size_t end = url.find_first_of("/?#", scheme);
  std::string_view authority =
      url.substr(scheme, end == std::string_view::npos ? end : end - scheme);
  const size_t user = authority.rfind('@');
  if (user != std::string_view::npos) authority.remove_prefix(user + 1);
  return base::lower_ascii(url.substr(0, scheme)) + base::lower_ascii(authority);
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

}  // namespace net
