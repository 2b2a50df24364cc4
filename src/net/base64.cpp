#include "net/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace net {

namespace {

// EVP takes int lengths: 3 MiB of bytes at a time are 4 MiB of text.
constexpr size_t kPartBytes = size_t{3} << 20U;

std::string encode_part(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP ends it with a NUL
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  auto* to = reinterpret_cast<unsigned char*>(text.data());
  text.resize(static_cast<size_t>(EVP_EncodeBlock(to, from, static_cast<int>(bytes.size()))));
  return text;
}

bool is_space(char c) {
  return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += kPartBytes) {
    text += encode_part(bytes.substr(at, kPartBytes));
  }
  return text;
}

std::string base64url(std::string_view bytes) {
  std::string text = base64(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string plain;
  plain.reserve(text.size() + 3);
  for (const char c : text) {
    if (!is_space(c)) plain += c == '-' ? '+' : (c == '_' ? '/' : c);
  }
  while (!plain.empty() && plain.back() == '=') plain.pop_back();
  if (plain.size() % 4 == 1 || plain.find('=') != std::string::npos) return std::nullopt;
  const size_t padding = (4 - plain.size() % 4) % 4;
  plain.append(padding, '=');
  std::string bytes(plain.size() / 4 * 3, '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  const auto* from = reinterpret_cast<const unsigned char*>(plain.data());
  if (EVP_DecodeBlock(to, from, static_cast<int>(plain.size())) < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace net
