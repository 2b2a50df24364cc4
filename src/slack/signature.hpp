// Whether a request comes from Slack: its signature, or the deprecated token in its body.
// Source: docs.slack.dev "Verifying requests from Slack".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slack {

enum class Verdict {
  genuine,
  unsigned_request,  // a header is missing or no number
  stale,             // signed more than five minutes ago, or for a time as far ahead
  forged,            // the signature is another one's, or the body was changed
};

// `timestamp` and `signature` are the headers X-Slack-Request-Timestamp and X-Slack-Signature,
// `body` the bytes as they came. Compares in constant time.
Verdict check_signature(std::string_view secret, const std::string& timestamp,
                        const std::string& signature, std::string_view body, int64_t now_unix_s);

// "stale" and so on, for logs.
const char* word_of(Verdict verdict);

}  // namespace slack
