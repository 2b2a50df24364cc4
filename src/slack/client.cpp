#include "slack/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "net/hide.hpp"
#include "net/url.hpp"
#include "slack/errors.hpp"

namespace slack {

namespace {

constexpr size_t kMostWarnings = 5;

// The reply as a JSON object; nothing when it is something else. (Looked at before it is parsed: a
// webhook answers "ok", and the first exception of a static binary costs milliseconds.)
std::optional<json::Value> json_of(const net::HttpResponse& reply) {
  if (!base::trim(reply.body).starts_with('{')) return std::nullopt;
  return json::try_parse(reply.body);
}

bool is_rate_limit(const std::string& word) {
  return word == "ratelimited" || word == "rate_limited";
}

bool is_page(const net::HttpResponse& reply) {
  return base::trim(reply.body).starts_with('<');
}

// The word of a refusal, in JSON or alone as a webhook gives it; "" when there is none.
std::string word_of(const net::HttpResponse& reply) {
  if (const auto body = json_of(reply)) return json::string_at(*body, "error");
  const bool is_word = reply.body.find_first_of("<> \n") == std::string::npos;
  return is_word ? reply.body : "";
}

// For the person who watches.
std::string shown_word(const net::HttpResponse& reply) {
  return is_page(reply) ? "an HTML page" : base::shorten(base::one_line(word_of(reply)), 100);
}

// A failure that leaves open whether the call was carried out: a gateway's time-out, a fault inside
// of Slack, a page of something that stands before it.
bool is_unsure(const net::HttpResponse& reply, const Line& line) {
  if (reply.status != 200) return reply.status == 504;
  if (is_page(reply)) return line.has_worked;
  const std::string word = word_of(reply);
  return word == "internal_error" || word == "fatal_error" || word == "request_timeout" ||
         word == "service_unavailable";
}

// HTTP's rules, and a rate limit told in the body of a 200 or without the header.
std::optional<int64_t> wait_asked_ms(const net::HttpResponse& reply, int64_t now_unix_s) {
  const auto by_status = net::retry_after_ms(reply, now_unix_s);
  if (by_status && *by_status > 0) return by_status;
  const auto body = json_of(reply);
  const bool refused = body && !json::bool_at(*body, "ok");
  if (!refused || !is_rate_limit(json::string_at(*body, "error"))) return by_status;
  const json::Value* seconds = json::find(*body, "retry_after");
  const auto* whole = seconds == nullptr ? nullptr : std::get_if<int64_t>(&seconds->data);
  return whole == nullptr ? 0 : std::clamp<int64_t>(*whole, 0, net::kLongestAskedMs / 1000) * 1000;
}

void add_texts(std::vector<std::string>& texts, const json::Value* list) {
  const json::Array* items = json::as_array(list);
  if (items == nullptr) return;
  for (const json::Value& item : *items) {
    const std::string* text = json::as_string(&item);
    if (text != nullptr) texts.push_back(*text);
  }
}

std::string details_of(const json::Value& reply) {
  std::vector<std::string> details;
  for (const char* name : {"needed", "provided"}) {
    const std::string text = json::string_at(reply, name);
    if (!text.empty()) details.push_back(fmt::format("{}: {}", name, text));
  }
  add_texts(details, json::find(reply, "errors"));
  add_texts(details, json::find(reply, {"response_metadata", "messages"}));
  return base::join(details, "; ");
}

base::Error senseless(const net::HttpResponse& reply, const std::string& question) {
  const std::string text = base::shorten(base::one_line(base::trim(reply.body)), 120);
  const std::string what = fmt::format("HTTP {} without Slack's word for it, {}", reply.status,
                                       text.empty() ? "and with nothing" : "but with: " + text);
  if (!question.empty()) {
    return {base::exit_malformed_reply, fmt::format("{}: {}; check the address", question, what)};
  }
  return {base::exit_malformed_reply,
          what + "; look in the channel whether it was posted, and check the address"};
}

bool tells_by_status(int status) {
  return status == 401 || status == 403 || status == 429 || (status >= 500 && status <= 599);
}

// The reply's JSON, in which ok is true; throws when Slack did not say so.
json::Value accepted(const net::HttpResponse& reply, const std::string& question) {
  if (reply.status != 200) refuse(reply, question);
  auto body = json_of(reply);
  if (!body || json::find(*body, "ok") == nullptr) throw senseless(reply, question);
  if (!json::bool_at(*body, "ok")) refuse(reply, question);
  return std::move(*body);
}

// One argument as the text of a form field.
std::string field_text(const json::Value& value) {
  const std::string* text = json::as_string(&value);
  return text != nullptr ? *text : json::write(value);
}

std::string form(const json::Object& arguments) {
  std::string body;
  for (const json::Member& argument : arguments) {
    if (json::is_null(&argument.value)) continue;
    if (!body.empty()) body += '&';
    body += net::percent_encode(argument.name) + "=" +
            net::percent_encode(base::repair_utf8(field_text(argument.value)));
  }
  return body;
}

// The token, or the last part of a webhook's address.
std::string secret_of(const net::HttpRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string by = net::header(request.headers, "Authorization");
  return by.empty() ? request.url.substr(request.url.rfind('/') + 1) : by.substr(kBearer.size());
}

net::HttpRequest post_request(const std::string& url, const char* type, std::string body,
                              const Line& line) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", type}};
  request.body = std::move(body);
  request.timeout_ms = line.timeout_ms;
  request.repeatable = line.repeat_when_unsure;
  return request;
}

// Text of a reply that is shown to people.
std::string short_text(const std::string& text) {
  return base::shorten(base::one_line(text), 100);
}

std::vector<std::string> warnings_in(const json::Value& reply) {
  std::vector<std::string> warnings;
  add_texts(warnings, json::find(reply, {"response_metadata", "warnings"}));
  const std::string only = json::string_at(reply, "warning");
  if (warnings.empty() && !only.empty()) warnings.push_back(only);
  if (warnings.size() > kMostWarnings) warnings.resize(kMostWarnings);
  for (std::string& warning : warnings) warning = short_text(warning);
  return warnings;
}

// "channel" is an ID in most replies, an object in that of conversations.open.
std::string channel_in(const json::Value& reply) {
  const json::Value* channel = json::find(reply, "channel");
  const std::string* id = json::as_string(channel);
  if (id == nullptr && channel != nullptr) return json::string_at(*channel, "id");
  return id == nullptr ? "" : *id;
}

Receipt receipt_of(const json::Value& reply) {
  Receipt receipt;
  receipt.channel_id = short_text(channel_in(reply));
  receipt.ts = short_text(json::string_at(reply, "ts"));
  if (receipt.ts.empty()) receipt.ts = short_text(json::string_at(reply, "message_ts"));
  const json::Value* posted = json::find(reply, "message");
  if (posted != nullptr) receipt.thread_ts = short_text(json::string_at(*posted, "thread_ts"));
  receipt.warnings = warnings_in(reply);
  receipt.response = json::write(reply);
  return receipt;
}

Receipt send_by_webhook(const Sender& sender, const Call& call, const Line& line) {
  const net::HttpRequest request = post_request(sender.webhook, "application/json; charset=utf-8",
                                                json::write(json::Value(call.arguments)), line);
  const net::HttpResponse reply = exchange(request, line);
  const bool is_ok = reply.status == 200 && base::trim(reply.body) == "ok";
  // A Workflow Builder's webhook answers in JSON.
  if (!is_ok) return receipt_of(accepted(reply, ""));
  Receipt receipt;
  receipt.response = "\"ok\"";
  return receipt;
}

}  // namespace

// JSON with a word and details from the Web API, a bare word from a webhook.
void refuse(const net::HttpResponse& reply, const std::string& question) {
  Refusal refusal{word_of(reply), reply.status, "", ""};
  if (const auto body = json_of(reply)) {
    refusal.details = details_of(*body);
    refusal.response = json::write(*body);
  }
  const bool is_refusal = reply.status == 200 || reply.status >= 400;
  if (!is_refusal || (refusal.word.empty() && !tells_by_status(reply.status))) {
    throw senseless(reply, question);
  }
  const std::string asked_s = net::header(reply, "retry-after");
  if (reply.status == 429 && !asked_s.empty()) {
    refusal.details +=
        fmt::format("{}Retry-After: {}", refusal.details.empty() ? "" : "; ", asked_s);
  }
  throw refusal_error(refusal);
}

net::HttpResponse exchange(const net::HttpRequest& request, const Line& line) {
  net::RetryPolicy retry = line.retry;
  retry.wait_asked_ms = [&](const net::HttpResponse& reply, int64_t now_unix_s) {
    const auto asked_ms = wait_asked_ms(reply, now_unix_s);
    if (!is_unsure(reply, line)) return asked_ms;
    return request.repeatable ? std::optional<int64_t>(asked_ms.value_or(0)) : std::nullopt;
  };
  retry.words = shown_word;
  const std::string secret = secret_of(request);
  const net::Http http = [&](const net::HttpRequest& sent) {
    net::HttpResponse reply = line.http(sent);
    net::hide(reply, secret);
    return reply;
  };
  return net::send(http, line.clock, request, retry);
}

json::Value call_method(const Sender& sender, const Call& call, const Line& line) {
  const std::string api = sender.api.ends_with('/') ? sender.api : sender.api + "/";
  net::HttpRequest request =
      post_request(api + call.method, "application/x-www-form-urlencoded; charset=utf-8",
                   form(call.arguments), line);
  request.headers.emplace_back("Authorization", "Bearer " + sender.token);
  const bool posts =
      call.method.starts_with("chat.") || call.method == "files.completeUploadExternal";
  return accepted(exchange(request, line), posts ? "" : call.method);
}

Receipt send(const Sender& sender, const Call& call, const Line& line) {
  if (!sender.webhook.empty()) return send_by_webhook(sender, call, line);
  return receipt_of(call_method(sender, call, line));
}

}  // namespace slack
