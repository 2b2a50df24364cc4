// HTTP as a value: a request in, a reply or an error out. What stands behind it is a parameter, so
// that modules are tested without a network.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace net {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A body that is not held in memory.
struct BodyStream {
  int64_t bytes = 0;
  // Writes the bytes from `offset` on, at least one and at most `most`, and returns how many. What
  // it throws ends the exchange and comes out of it.
  std::function<size_t(int64_t offset, char* to, size_t most)> read;
};

// A text as such a body.
BodyStream body_of(const std::string& text);

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // may be a secret: no error text holds more of it than the host
  Headers headers;
  std::string body;
  std::optional<BodyStream> stream;  // instead of body
  // For the whole exchange, connecting included; with a stream, for a pause in which nothing moves.
  int64_t timeout_ms = 30'000;
  // Harmless when it is carried out twice, so the retry loop may send it again without knowing
  // whether it was.
  bool repeatable = false;
  bool direct = false;  // to this machine or its host: never through a proxy
  // Called now and then, about once a second when nothing moves. What it throws ends the exchange
  // and comes out of it.
  std::function<void(int64_t sent_bytes)> on_progress;
};

struct HttpResponse {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;
};

// The value of a header (name in lower case), the first of several; "" when it is not there.
std::string header(const Headers& headers, const std::string& name);
std::string header(const HttpResponse& response, const std::string& name);

// No whole reply came. Code 69 when no request was written (nobody there, TLS failed), 75 when one
// was and nothing came back, 76 when a reply broke off or is none, 78 when the URL can't be used.
class HttpError : public base::Error {
 public:
  HttpError(base::ExitCode code, const std::string& message, bool may_be_sent_again)
      : Error(code, message), safe_to_retry(may_be_sent_again) {}

  // Certainly not obeyed, as nothing of the request was written, and it may go better next time
  // (also when no more attempts were made).
  bool safe_to_retry;
};

using Http = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace net
