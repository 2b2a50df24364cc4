// Sends to Slack, by incoming webhook or by bot token, and takes nothing for success but Slack's
// word for it. Limits of frequency are kept by waiting as Slack asks, within the retry budget.
// Source: docs.slack.dev, "Web API" and "Incoming webhooks".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "json/value.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "slack/message.hpp"

namespace slack {

inline constexpr const char* kApi = "https://slack.com/api/";

// Who sends: exactly one of webhook and token is given.
struct Sender {
  std::string webhook;     // its URL, which is the secret
  std::string token;       // xoxb-…
  std::string api = kApi;  // base URL of the Web API, with or without a slash at the end
};

// What carries the requests.
struct Line {
  net::Http http;
  base::Clock clock;
  net::RetryPolicy retry;  // its wait_asked_ms is set here, by Slack's rules
  int64_t timeout_ms = 30'000;
};

// What Slack said of a message it took. A webhook tells nothing but that it took it.
struct Receipt {
  std::string channel_id;
  std::string ts;
  std::string thread_ts;
  std::vector<std::string> warnings;  // Slack's words, "message_truncated"
};

// Throws base::Error when Slack did not take the message: see slack/errors.hpp for what Slack can
// say, net/http.hpp for what can happen on the way, 76 for a reply that is neither.
Receipt send(const Sender& sender, const Message& message, const Line& line);

}  // namespace slack
