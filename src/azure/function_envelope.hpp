// What an Azure Functions host sends to a custom handler, when it does not forward HTTP requests as
// they are: one JSON envelope for any trigger, and one to answer with.
// Source: learn.microsoft.com "Azure Functions custom handlers", azure-functions-host.
#pragma once

#include <optional>
#include <string>

#include "json/value.hpp"
#include "net/http.hpp"

namespace azure {

// An HTTP request in the envelope of its trigger.
struct EnvelopedRequest {
  std::string method;
  std::string url;  // as the caller wrote it, with the route: "https://x.example/api/events?a=b"
  net::Headers headers;  // names in lower case; of several values the first
  std::string body;      // the text that signatures are made of
};

// An envelope: {"Data": {…}, "Metadata": {…}}. Nothing for any other document.
struct Envelope {
  std::optional<EnvelopedRequest> request;  // of an HTTP trigger
  json::Value data;                         // of any other, by the bindings' names
};
std::optional<Envelope> read_envelope(const std::string& body);

// The answer for an HTTP trigger; its http output binding must be named "res".
std::string http_answer(int status, const net::Headers& headers, const std::string& body);

// The answer for another trigger: `outputs` by the bindings' names and the function's own value.
std::string trigger_answer(const json::Value& outputs, const json::Value& return_value,
                           const std::string& log);

}  // namespace azure
