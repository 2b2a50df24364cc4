// Talks to Slack, by incoming webhook or by bot token, and takes nothing for success but Slack's
// word for it. Limits of frequency are kept by waiting as Slack asks, within the retry budget.
//
// Methods get their arguments as form fields, which every method of the Web API takes (JSON is for
// those that write); lists and maps among them as JSON text. Webhooks get JSON.
// Source: docs.slack.dev, "Web API" and "Incoming webhooks".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "json/value.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"

namespace slack {

inline constexpr const char* kApi = "https://slack.com/api/";
inline constexpr const char* kPostMessage = "chat.postMessage";

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
  // Send again also what may have been taken: better twice than never.
  bool repeat_when_unsure = false;
  // Slack was reached before, so that an HTML page instead of it is something that passes.
  bool has_worked = false;
};

// One thing to ask of Slack: a method and its arguments. By webhook only the arguments are sent.
struct Call {
  std::string method = kPostMessage;
  json::Object arguments;
};

// What Slack said of what it took. An incoming webhook tells nothing but that it took it.
struct Receipt {
  std::string channel_id;
  std::string ts;
  std::string thread_ts;
  std::vector<std::string> warnings;  // Slack's words, "message_truncated"
  std::string response;               // its whole reply, as JSON
};

// The reply of a method that Slack carried out. Throws base::Error when it did not: see
// slack/errors.hpp for what Slack can say, net/http.hpp for what can happen on the way, 76 for a
// reply that is neither.
json::Value call_method(const Sender& sender, const Call& call, const Line& line);

// The same by webhook, if the sender has one.
Receipt send(const Sender& sender, const Call& call, const Line& line);

// Sends any request to Slack, again as long as the reply says that it was not carried out (429,
// most 5xx), and gives back the one it ends in. Where a reply leaves that open (504, or
// 200 with internal_error or an HTML page), a request is sent again only if it is repeatable.
net::HttpResponse exchange(const net::HttpRequest& request, const Line& line);

// Throws what a reply tells of that is no success: Refused, or 76 when it is not Slack's.
// `question` names what was asked; "" for what is seen in a channel, where it can be looked for.
[[noreturn]] void refuse(const net::HttpResponse& reply, const std::string& question);

}  // namespace slack
