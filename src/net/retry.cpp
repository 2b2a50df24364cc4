#include "net/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/date.hpp"

namespace net {

namespace {

constexpr int64_t kLongestWaitMs = 30'000;

struct Attempt {
  std::optional<HttpResponse> response;
  std::optional<HttpError> error;
};

Attempt attempt(const Http& http, const HttpRequest& request) {
  try {
    return {http(request), std::nullopt};
  } catch (const HttpError& error) {
    return {std::nullopt, error};
  }
}

bool may_be_sent_again(const HttpError& error, const HttpRequest& request) {
  const bool reply_lost =
      error.code() == base::exit_retries_spent || error.code() == base::exit_malformed_reply;
  return error.safe_to_retry || (request.repeatable && reply_lost);
}

std::string reason_of(const HttpResponse& reply, const RetryPolicy& policy) {
  const std::string words = policy.words ? policy.words(reply) : "";
  return words.empty() ? fmt::format("HTTP {} is no success yet", reply.status)
                       : fmt::format("{} (HTTP {})", words, reply.status);
}

// The error that tells of all attempts, not only of the last.
HttpError final_error(const HttpError& last, int attempts, bool reached_before) {
  if (attempts == 1) return last;
  const base::ExitCode code = reached_before ? base::exit_retries_spent : last.code();
  return {code, fmt::format("{} ({} attempts)", last.what(), attempts), last.safe_to_retry};
}

}  // namespace

int64_t retry_after_header_ms(const HttpResponse& response, int64_t now_unix_s) {
  const std::string value = header(response, "retry-after");
  int64_t seconds = 0;
  const auto number = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (number.ec == std::errc::result_out_of_range) return kLongestAskedMs;
  if (number.ec != std::errc() || number.ptr != value.data() + value.size()) {
    seconds = date_unix_s(value).value_or(now_unix_s) - now_unix_s;
  }
  return std::clamp<int64_t>(seconds, 0, kLongestAskedMs / 1000) * 1000;
}

std::optional<int64_t> retry_after_ms(const HttpResponse& response, int64_t now_unix_s) {
  const bool is_again =
      response.status == 429 || (response.status >= 500 && response.status <= 599);
  if (!is_again) return std::nullopt;
  return retry_after_header_ms(response, now_unix_s);
}

std::optional<HttpResponse> Attempts::next(const Http& http, const base::Clock& clock,
                                           const HttpRequest& request) {
  if (attempts_ == 0) {
    started_ms_ = clock.monotonic_ms();
    backoff_ms_ = policy_.first_wait_ms;
  }
  ++attempts_;
  const Attempt result = attempt(http, request);
  int64_t wait_ms = backoff_ms_;
  std::string reason;
  if (result.response) {
    reached_before_ = true;
    const auto asked_ms = policy_.wait_asked_ms(*result.response, clock.unix_s());
    if (!asked_ms) return result.response;
    if (*asked_ms > 0) wait_ms = std::min(*asked_ms, kLongestAskedMs);
    reason = reason_of(*result.response, policy_);
  } else {
    const HttpError& error = *result.error;
    if (!may_be_sent_again(error, request)) throw final_error(error, attempts_, reached_before_);
    reason = error.what();
  }
  const int64_t spent_ms = request.stream ? waited_ms_ : clock.monotonic_ms() - started_ms_;
  if (spent_ms + wait_ms > policy_.budget_ms) {
    if (result.response) return result.response;
    throw final_error(*result.error, attempts_, reached_before_);
  }
  if (policy_.on_wait) policy_.on_wait(reason, wait_ms);
  wait_ms_ = wait_ms;
  waited_ms_ += wait_ms;
  backoff_ms_ = std::min(backoff_ms_ * 2, kLongestWaitMs);
  return std::nullopt;
}

HttpResponse send(const Http& http, const base::Clock& clock, const HttpRequest& request,
                  const RetryPolicy& policy) {
  Attempts attempts(policy);
  for (;;) {
    if (std::optional<HttpResponse> reply = attempts.next(http, clock, request)) {
      return *std::move(reply);
    }
    clock.sleep_ms(attempts.wait_ms());
  }
}

}  // namespace net
