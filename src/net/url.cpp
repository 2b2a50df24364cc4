#include "net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/text.hpp"

namespace net {

namespace {

constexpr const char* kHostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-._%:[]";

bool is_port(std::string_view text) {
  unsigned port = 0;
  return base::read_number(text, port) && port <= 65'535;
}

size_t scheme_length(std::string_view url) {
  const std::string start = base::lower_ascii(url.substr(0, 8));
  if (start == "https://") return 8;
  return start.starts_with("http://") ? 7 : 0;
}

// What is no %XX stays as it is.
std::string form_decoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto digits = text.substr(i, 3);
    const bool is_byte =
        digits.size() == 3 && digits[0] == '%' &&
        std::from_chars(digits.data() + 1, digits.data() + 3, byte, 16).ptr == digits.data() + 3;
    decoded += is_byte ? static_cast<char>(byte) : (text[i] == '+' ? ' ' : text[i]);
    if (is_byte) i += 2;
  }
  return decoded;
}

}  // namespace

bool is_http_url(std::string_view url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) return false;
  }
  const std::string host = origin(url);
  const size_t scheme = scheme_length(url);
  if (host.empty() || host.find_first_not_of(kHostCharacters, scheme) != std::string::npos) {
    return false;
  }
  const size_t colon = host.find(':', std::max(scheme, host.rfind(']') + 1));  // npos + 1 == 0
  return colon == std::string::npos || is_port(std::string_view(host).substr(colon + 1));
}

std::string origin(std::string_view url) {
  const size_t scheme = scheme_length(url);
  if (scheme == 0) return "";
  const size_t end = url.find_first_of("/?#", scheme);
  std::string_view authority =
      url.substr(scheme, end == std::string_view::npos ? end : end - scheme);
  const size_t user = authority.rfind('@');
  if (user != std::string_view::npos) authority.remove_prefix(user + 1);
  if (authority.empty() || authority.front() == ':') return "";
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

std::map<std::string, std::string> form_fields(std::string_view body) {
  std::map<std::string, std::string> fields;
  for (const std::string& field : base::split(body, '&')) {
    const size_t equals = std::min(field.find('='), field.size());
    const std::string_view value =
        std::string_view(field).substr(std::min(equals + 1, field.size()));
    fields.emplace(form_decoded(std::string_view(field).substr(0, equals)), form_decoded(value));
  }
  return fields;
}

}  // namespace net
