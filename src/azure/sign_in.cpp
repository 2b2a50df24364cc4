#include "azure/sign_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "azure/retry.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "net/hide.hpp"

namespace azure {

namespace {

constexpr size_t kMostFileBytes = size_t{1} << 20U;
constexpr int64_t kLeastLifeS = 300;
constexpr int64_t kFailureHoldsS = 30;
constexpr int64_t kRenewalBudgetMs = 30'000;  // while the last token is good, and others wait
constexpr int kGone = 410;

std::optional<net::Certificate> certificate_of(const Credentials& credentials) {
  if (credentials.method != Method::certificate) return std::nullopt;
  const Known& known = credentials.known;
  const std::string text =
      base::read_file(known.certificate_file, kMostFileBytes, "the certificate");
  return net::read_certificate({text, "the certificate in " + known.certificate_file,
                                known.certificate_password,
                                "--certificate-password (AZURE_CLIENT_CERTIFICATE_PASSWORD)"});
}

// Read anew each time, as what puts it there replaces it before it expires.
std::string workload_token(const std::string& path) {
  std::string token =
      base::trim(base::read_file(path, kMostFileBytes, "the workload identity's token"));
  if (!token.empty()) return token;
  throw base::Error(base::exit_missing_input,
                    fmt::format("the workload identity's token in {} is empty; check --federated-"
                                "token-file (AZURE_FEDERATED_TOKEN_FILE)",
                                path));
}

// IMDS says 410 while it is being updated, which takes up to 70 s.
std::optional<int64_t> imds_wait_asked_ms(const net::HttpResponse& reply, int64_t now_unix_s) {
  return reply.status == kGone ? std::optional<int64_t>(0) : wait_asked_ms(reply, now_unix_s);
}

}  // namespace

TokenSource::TokenSource(Credentials credentials, Cloud cloud, TokenLine line)
    : credentials_(std::move(credentials)),
      cloud_(std::move(cloud)),
      line_(std::move(line)),
      certificate_(certificate_of(credentials_)) {}

std::string TokenSource::token() {
  const std::lock_guard lock(mutex_);
  if (!is_good()) {
    begin();
  } else if (line_.clock.unix_s() >= renew_unix_s_) {
    renew();
  }
  if (!is_good()) begin();  // the last one ended while a new one was asked for
  return token_.text;
}

// The first, or the first after one that ended.
void TokenSource::begin() {
  if (failure_ && line_.clock.unix_s() < failed_unix_s_ + kFailureHoldsS) {
    throw base::Error(*failure_);
  }
  try {
    fetch();
    failure_.reset();
  } catch (const base::Error& error) {
    if (error.code() == base::exit_interrupted) throw;
    failure_ = error;
    failed_unix_s_ = line_.clock.unix_s();
    throw;
  }
}

// A new one while the last one is good still: a failure is no reason to stop.
void TokenSource::renew() {
  try {
    fetch();
  } catch (const base::Error& error) {
    if (error.code() == base::exit_interrupted) throw;
    renew_unix_s_ = line_.clock.unix_s() + kFailureHoldsS;
  }
}

bool TokenSource::is_good() const {
  return !token_.text.empty() && line_.clock.unix_s() < token_.expires_unix_s;
}

void TokenSource::refused(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (token == token_.text) token_ = {};
}

void TokenSource::fetch() {
  const net::HttpRequest request = next_request();
  const int64_t asked_unix_s = line_.clock.unix_s();  // its life began no earlier
  const Token token = read_token(send(request), request, credentials_, asked_unix_s);
  if (line_.on_secret) line_.on_secret(token.text);
  token_ = token;
  const int64_t life_s = token.expires_unix_s - asked_unix_s;
  renew_unix_s_ = token.expires_unix_s - std::min(kLeastLifeS, life_s / 2);
}

net::HttpRequest TokenSource::next_request() {
  const Known& known = credentials_.known;
  switch (credentials_.method) {
    case Method::secret:
      return secret_request(known, cloud_);
    case Method::app_service:
      return app_service_request(known, cloud_);
    case Method::imds:
      return imds_request(known, cloud_);
    case Method::certificate:
    case Method::github:
    case Method::workload:
      break;
  }
  const std::string assertion = new_assertion();
  if (line_.on_secret) line_.on_secret(assertion);
  return assertion_request(known, cloud_, assertion);
}

std::string TokenSource::new_assertion() {
  const Known& known = credentials_.known;
  if (certificate_) {
    return certificate_assertion(*certificate_, known.client_id, token_url(known, cloud_),
                                 line_.clock.unix_s(), line_.new_jti());
  }
  if (credentials_.method == Method::workload) return workload_token(known.federated_token_file);
  const net::HttpRequest request = github_request(known);
  return read_github_token(send(request), request);
}

// Nobody there is no reason to try again, unless somebody was there before.
net::HttpResponse TokenSource::ask_imds(const net::HttpRequest& request) {
  try {
    net::HttpResponse reply = line_.http(request);
    imds_was_reached_ = true;
    return reply;
  } catch (const net::HttpError& error) {
    const bool is_nobody =
        error.code() == base::exit_unavailable || error.code() == base::exit_retries_spent;
    if (imds_was_reached_ || !is_nobody) throw;
    throw base::Error(base::exit_configuration,
                      fmt::format("this machine has no managed identity: {}; {}", error.what(),
                                  other_ways(credentials_.known)));
  }
}

net::HttpResponse TokenSource::send(const net::HttpRequest& request) {
  const bool is_imds = credentials_.method == Method::imds;
  const net::Http to_imds = [this](const net::HttpRequest& asked) { return ask_imds(asked); };
  net::RetryPolicy policy;
  policy.budget_ms =
      is_good() ? std::min(kRenewalBudgetMs, line_.retry_budget_ms) : line_.retry_budget_ms;
  policy.wait_asked_ms = is_imds ? imds_wait_asked_ms : wait_asked_ms;
  policy.on_wait = [this](const std::string& reason, int64_t wait_ms) {
    if (line_.on_wait) line_.on_wait("signing in: " + reason, wait_ms);
  };
  net::HttpResponse reply = net::send(is_imds ? to_imds : line_.http, line_.clock, request, policy);
  const Known& known = credentials_.known;
  for (const std::string& secret :
       {known.client_secret, known.github_token, known.identity_header}) {
    net::hide(reply, secret);
  }
  return reply;
}

}  // namespace azure
