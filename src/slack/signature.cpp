#include "slack/signature.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "net/hmac.hpp"

namespace slack {

namespace {

constexpr int64_t kMostSecondsApart = 300;

}  // namespace

Verdict check_signature(std::string_view secret, const std::string& timestamp,
                        const std::string& signature, std::string_view body, int64_t now_unix_s) {
  int64_t signed_unix_s = 0;
  const bool has_time = base::read_number(timestamp, signed_unix_s) && signed_unix_s >= 0;
  if (!has_time || signature.empty()) return Verdict::unsigned_request;
  const std::string signed_text = fmt::format("v0:{}:{}", timestamp, body);
  const std::string expected = "v0=" + net::hmac_sha256_hex(secret, signed_text);
  if (!net::equal_in_constant_time(expected, signature)) return Verdict::forged;
  const bool is_old = signed_unix_s < now_unix_s - kMostSecondsApart;
  const bool is_ahead = signed_unix_s > now_unix_s + kMostSecondsApart;
  return is_old || is_ahead ? Verdict::stale : Verdict::genuine;
}

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::genuine:
      return "genuine";
    case Verdict::unsigned_request:
      return "unsigned";
    case Verdict::stale:
      return "stale";
    case Verdict::forged:
      return "forged";
  }
  return "";
}

}  // namespace slack
