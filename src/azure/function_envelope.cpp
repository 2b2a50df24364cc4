#include "azure/function_envelope.hpp"

#include "base/text.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace azure {

namespace {

std::string text_of(const json::Value& value) {
  const std::string* text = json::as_string(&value);
  return text != nullptr ? *text : json::write(value);
}

// {"Content-Type": ["a", "b"]}, or with a text instead of a list.
net::Headers headers_of(const json::Value& request) {
  net::Headers headers;
  const json::Object* members = json::as_object(json::find(request, "Headers"));
  if (members == nullptr) return headers;
  for (const json::Member& member : *members) {
    const json::Array* values = json::as_array(&member.value);
    if (values != nullptr && values->empty()) continue;
    headers.emplace_back(base::lower_ascii(member.name),
                         text_of(values == nullptr ? member.value : values->front()));
  }
  return headers;
}

bool is_request(const json::Value& value) {
  return json::find(value, "Url") != nullptr && json::find(value, "Method") != nullptr;
}

EnvelopedRequest request_of(const json::Value& value) {
  EnvelopedRequest request;
  request.method = json::string_at(value, "Method");
  request.url = json::string_at(value, "Url");
  request.headers = headers_of(value);
  const json::Value* body = json::find(value, "Body");
  if (!json::is_null(body)) request.body = text_of(*body);
  return request;
}

}  // namespace

std::optional<Envelope> read_envelope(const std::string& body) {
  if (!base::trim(body).starts_with('{')) return std::nullopt;
  const auto document = json::try_parse(body);
  if (!document) return std::nullopt;
  const json::Value* data = json::find(*document, "Data");
  const bool has_both = json::as_object(data) != nullptr &&
                        json::as_object(json::find(*document, "Metadata")) != nullptr;
  if (!has_both) return std::nullopt;
  Envelope envelope{std::nullopt, *data};
  for (const json::Member& member : *json::as_object(data)) {
    if (is_request(member.value)) envelope.request = request_of(member.value);
  }
  return envelope;
}

std::string http_answer(int status, const net::Headers& headers, const std::string& body) {
  json::Object shown;
  for (const auto& [name, value] : headers) shown.push_back({name, value});
  const json::Object response{
      {"statusCode", status}, {"headers", std::move(shown)}, {"body", body}};
  return json::write(json::Object{{"Outputs", json::Object{{"res", response}}},
                                  {"Logs", json::Array{}},
                                  {"ReturnValue", nullptr}});
}

std::string trigger_answer(const json::Value& outputs, const json::Value& return_value,
                           const std::string& log) {
  json::Array logs;
  if (!log.empty()) logs.emplace_back(log);
  return json::write(
      json::Object{{"Outputs", outputs}, {"Logs", std::move(logs)}, {"ReturnValue", return_value}});
}

}  // namespace azure
