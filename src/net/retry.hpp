// The retry loop: sends again what was not obeyed, within a budget of time.
//
// Sent again: a request of which nothing was written, and one whose complete reply says that it was
// not carried out (which ones do is the policy's business).
// Not sent again: a request that was written and got no whole reply, since it may have been obeyed;
// unless it says of itself that twice is harmless (HttpRequest::repeatable).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace net {

inline constexpr int64_t kLongestAskedMs = 86'400'000;

struct RetryPolicy {
  // No attempt starts later than this after the first. Of a streamed body, which may be long on its
  // way, only the waits between attempts count.
  int64_t budget_ms = 60'000;
  int64_t first_wait_ms = 1'000;  // doubled each time, up to 30 s
  // How a complete reply says "again": the least wait it asks for, 0 when it leaves that open,
  // nothing when it is final. retry_after_ms() for the rules of HTTP.
  std::function<std::optional<int64_t>(const HttpResponse&, int64_t now_unix_s)> wait_asked_ms;
  // What a reply says, in a word for the person who watches; "" when it says nothing.
  std::function<std::string(const HttpResponse&)> words = {};
  // Told before each wait.
  std::function<void(const std::string& reason, int64_t wait_ms)> on_wait;
};

// Retry-After in ms (seconds or an HTTP date, RFC 9110 10.2.3; at most a day), 0 without one.
int64_t retry_after_header_ms(const HttpResponse& response, int64_t now_unix_s);

// The same for 429 and 5xx. Anything else: nothing.
std::optional<int64_t> retry_after_ms(const HttpResponse& response, int64_t now_unix_s);

// The loop's decisions, for those who wait otherwise than by sleeping: one request, an attempt a
// step.
class Attempts {
 public:
  explicit Attempts(RetryPolicy policy) : policy_(std::move(policy)) {}

  // Sends it once. The final reply, which is still a 429 or 5xx when the budget is spent; or
  // nothing, and wait_ms() later is the time for the next attempt. Throws the last HttpError when
  // no reply came: 69 when nobody was ever reached, 75 when somebody was in an earlier attempt.
  std::optional<HttpResponse> next(const Http& http, const base::Clock& clock,
                                   const HttpRequest& request);

  int64_t wait_ms() const { return wait_ms_; }

 private:
  RetryPolicy policy_;
  int64_t started_ms_ = 0;
  int64_t waited_ms_ = 0;
  int64_t backoff_ms_ = 0;
  int64_t wait_ms_ = 0;
  int attempts_ = 0;
  bool reached_before_ = false;
};

// All attempts. Waits first_wait_ms, twice that… 30 s between them, or as long as the reply asks;
// gives up at once when that is longer than what is left of the budget.
HttpResponse send(const Http& http, const base::Clock& clock, const HttpRequest& request,
                  const RetryPolicy& policy);

}  // namespace net
