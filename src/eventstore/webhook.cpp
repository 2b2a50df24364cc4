#include "eventstore/webhook.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/url.hpp"

namespace eventstore {

namespace {

constexpr size_t kMostShown = 200;

bool has_control(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
  }
  return false;
}

}  // namespace

Webhook::Webhook(const WebhookSpec& spec, Surroundings surroundings)
    : surroundings_(std::move(surroundings)) {
  request_.method = "POST";
  request_.url = filled_in(spec.url);
  request_.timeout_ms = spec.timeout_ms;
  if (!net::is_http_url(request_.url)) {
    throw base::Error(base::exit_configuration,
                      "a webhook's URL begins with https:// or http:// and a host; see its file "
                      "and the variables in it");
  }
  bool has_type = false;
  for (const auto& [name, text] : spec.headers) {
    const std::string value = filled_in(text);
    if (has_control(value)) {
      throw base::Error(base::exit_configuration,
                        fmt::format("the webhook's header {} has control characters in its value",
                                    base::one_line(name)));
    }
    request_.headers.emplace_back(name, value);
    has_type = has_type || base::lower_ascii(name) == "content-type";
  }
  if (!has_type) request_.headers.emplace_back("Content-Type", "application/json");
}

std::string Webhook::filled_in(const std::string& text) {
  std::string filled;
  size_t at = 0;
  for (;;) {
    const size_t start = text.find("${", at);
    const size_t end = start == std::string::npos ? start : text.find('}', start);
    filled += text.substr(at, end == std::string::npos ? end : start - at);
    if (end == std::string::npos) return filled;
    const std::string name = text.substr(start + 2, end - start - 2);
    secrets_.push_back(surroundings_.env(name));
    if (secrets_.back().empty()) {
      throw base::Error(base::exit_configuration,
                        fmt::format("the variable {} is not set, and the webhook wants it",
                                    base::one_line(name)));
    }
    filled += secrets_.back();
    at = end + 1;
  }
}

void Webhook::process(const Event& event) {
  net::HttpRequest request = request_;
  request.headers.emplace_back("Idempotency-Key", event.id);
  surroundings_.event_line(event, request.body);
  const net::HttpResponse response = surroundings_.http(request);
  if (response.status >= 200 && response.status < 300) return;
  std::string said = base::one_line(response.body);
  for (const std::string& secret : secrets_) said = base::replace_all(said, secret, "***");
  said = base::shorten(base::trim(said), kMostShown);
  throw base::Error(base::exit_bad_input,
                    fmt::format("{} answered with status {}{}", net::origin(request.url),
                                response.status, said.empty() ? "" : ": " + said));
}

}  // namespace eventstore
