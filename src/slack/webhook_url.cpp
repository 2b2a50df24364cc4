#include "slack/webhook_url.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "net/url.hpp"

namespace slack {

namespace {

constexpr size_t kShortestId = 7;
constexpr size_t kShortestSecret = 16;  // they have 24 and more

bool is_alphanumeric(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

bool is_id(const std::string& text, std::string_view kinds) {
  return text.size() >= kShortestId && kinds.find(text[0]) != std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

bool is_secret(const std::string& text) {
  return text.size() >= kShortestSecret && is_alphanumeric(text);
}

// "services/T…/B…/…" and the like, from its first word on.
WebhookKind kind_of_path(const std::vector<std::string>& parts) {
  const bool is_of_team = parts.size() >= 4 && is_id(parts[1], "TE") && is_secret(parts.back());
  if (!is_of_team) return WebhookKind::broken;
  const bool is_incoming = parts[0] == "services" && parts.size() == 4 && is_id(parts[2], "B");
  if (is_incoming) return WebhookKind::incoming;
  const bool is_trigger = parts[0] == "triggers" && parts.size() == 4;
  const bool is_old_workflow = parts[0] == "workflows" && parts.size() == 5 && is_id(parts[2], "A");
  return is_trigger || is_old_workflow ? WebhookKind::workflow : WebhookKind::broken;
}

}  // namespace

WebhookKind kind_of_webhook(const std::string& url) {
  const std::string origin = net::origin(url);
  for (const char* host : {"hooks.slack.com", "hooks.slack-gov.com"}) {
    if (!origin.ends_with(std::string("://") + host)) continue;
    if (!origin.starts_with("https:") || url.size() <= origin.size()) return WebhookKind::broken;
    return kind_of_path(base::split(url.substr(origin.size() + 1), '/'));
  }
  return WebhookKind::foreign;
}

}  // namespace slack
