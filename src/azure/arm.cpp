#include "azure/arm.hpp"

#include <fmt/format.h>

#include "azure/errors.hpp"
#include "azure/retry.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "json/read.hpp"
#include "net/hide.hpp"

namespace azure {

namespace {

constexpr int64_t kTimeoutMs = 60'000;
constexpr int kUnauthorized = 401;
constexpr int kTooManyRequests = 429;

// What a reply to a request that is not harmless says of "again": only that it was not taken.
std::optional<int64_t> wait_if_not_taken(const net::HttpResponse& reply, int64_t now_unix_s) {
  return reply.status == kTooManyRequests ? wait_asked_ms(reply, now_unix_s) : std::nullopt;
}

bool is_broken(const net::HttpResponse& reply) {
  return is_success(reply) && !base::trim(reply.body).empty() && !json::try_parse(reply.body);
}

// A harmless request: also when a gateway on the way made something else of the reply.
std::optional<int64_t> wait_if_no_answer(const net::HttpResponse& reply, int64_t now_unix_s) {
  if (is_broken(reply)) return 0;
  return wait_asked_ms(reply, now_unix_s);
}

net::RetryPolicy policy_for(const Arm& arm, const net::HttpRequest& request,
                            const std::string& who) {
  net::RetryPolicy policy;
  policy.budget_ms = arm.retry_budget_ms;
  policy.wait_asked_ms = request.repeatable ? wait_if_no_answer : wait_if_not_taken;
  policy.words = [](const net::HttpResponse& reply) {
    return is_broken(reply) ? "a reply that is not JSON" : read_fault(reply).code;
  };
  policy.on_wait = [&arm, who](const std::string& reason, int64_t wait_ms) {
    if (arm.on_wait) arm.on_wait(who.empty() ? reason : who + ": " + reason, wait_ms);
  };
  return policy;
}

}  // namespace

std::optional<net::HttpResponse> Exchange::step(const net::Http& http,
                                                const net::HttpRequest& request) {
  const std::string token = arm_->tokens->token();
  net::HttpRequest signed_request = request;
  signed_request.headers.emplace_back("Authorization", "Bearer " + token);
  net::Attempts attempts = attempts_.value_or(net::Attempts(policy_for(*arm_, request, who_)));
  attempts_.reset();  // also when the next line throws
  std::optional<net::HttpResponse> reply = attempts.next(http, arm_->clock, signed_request);
  if (!reply) {
    wait_ms_ = attempts.wait_ms();
    attempts_ = std::move(attempts);
    return std::nullopt;
  }
  net::hide(*reply, token);
  if (reply->status == kUnauthorized && !was_refused_) {
    was_refused_ = true;
    wait_ms_ = 0;
    arm_->tokens->refused(token);
    return std::nullopt;
  }
  was_refused_ = false;
  return reply;
}

net::HttpRequest get(const std::string& url) {
  net::HttpRequest request;
  request.url = url;
  request.timeout_ms = kTimeoutMs;
  request.repeatable = true;
  return request;
}

bool is_success(const net::HttpResponse& reply) {
  return reply.status >= 200 && reply.status <= 299;
}

net::HttpResponse ask(const Arm& arm, const net::Http& http, const net::HttpRequest& request,
                      const std::string& doing) {
  Exchange exchange(arm);
  for (;;) {
    if (std::optional<net::HttpResponse> reply = exchange.step(http, request)) {
      if (!is_success(*reply)) throw refusal(*reply, doing);
      return *std::move(reply);
    }
    arm.clock.sleep_ms(exchange.wait_ms());
  }
}

json::Value body_of(const net::HttpResponse& reply) {
  try {
    return json::parse(reply.body, "Azure's reply");
  } catch (const base::Error& error) {
    throw base::Error(base::exit_malformed_reply, error.what());
  }
}

}  // namespace azure
