// Talking to Azure Resource Manager: a request with the bearer token, sent again as often as that
// is harmless, an attempt a step, so that who has many to wait for need not sleep for each.
// A GET is sent again after 408, 429, 5xx and a lost reply; a start of a script only when it was
// certainly not taken: nothing was written, or Azure said 429. After a 401 once with a new token.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "azure/cloud.hpp"
#include "azure/sign_in.hpp"
#include "base/clock.hpp"
#include "json/value.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"

namespace azure {

struct Arm {
  Cloud cloud;
  std::shared_ptr<TokenSource> tokens;
  base::Clock clock;
  int64_t retry_budget_ms = 300'000;  // how long one request may be tried
  std::function<void(const std::string& reason, int64_t wait_ms)> on_wait;
};

class Exchange {
 public:
  // `who` stands in front of what a person is told of waits.
  explicit Exchange(const Arm& arm, std::string who = "") : arm_(&arm), who_(std::move(who)) {}

  // The reply, of any status; or nothing, and wait_ms() later it is time for the next step with the
  // same request. After a reply the next request may follow. Throws what net::send throws, and 77
  // and others when there is no token to be had.
  std::optional<net::HttpResponse> step(const net::Http& http, const net::HttpRequest& request);

  int64_t wait_ms() const { return wait_ms_; }

 private:
  const Arm* arm_;
  std::string who_;
  std::optional<net::Attempts> attempts_;
  bool was_refused_ = false;
  int64_t wait_ms_ = 0;
};

net::HttpRequest get(const std::string& url);

bool is_success(const net::HttpResponse& reply);  // any 2xx

// Steps until there is a reply, sleeping between them. Throws errors.hpp's refusal() when it is no
// 2xx.
net::HttpResponse ask(const Arm& arm, const net::Http& http, const net::HttpRequest& request,
                      const std::string& doing);

// The reply's JSON. Throws 76.
json::Value body_of(const net::HttpResponse& reply);

}  // namespace azure
