#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "azure/token.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr size_t kMostWords = 400;
constexpr int64_t kLongestLifeS = int64_t{10} * 365 * 86'400;

// Of a number or a text that is one; nothing for anything else and below zero.
std::optional<int64_t> whole_number(const json::Value* value) {
  if (value == nullptr) return std::nullopt;
  double real = -1;
  if (const auto* whole = std::get_if<int64_t>(&value->data)) real = static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value->data)) real = *number;
  if (const std::string* text = json::as_string(value)) base::read_number(*text, real);
  const bool fits = real >= 0 && real < 1e15;
  return fits ? std::optional<int64_t>(static_cast<int64_t>(real)) : std::nullopt;
}

// By the life it has left, if the reply tells that, since this machine's clock may be wrong.
std::optional<int64_t> expiry_in(const json::Value& body, int64_t now_unix_s) {
  if (const auto life_s = whole_number(json::find(body, "expires_in"))) {
    return now_unix_s + std::min(*life_s, kLongestLifeS);
  }
  return whole_number(json::find(body, "expires_on"));
}

std::optional<json::Value> json_of(const net::HttpResponse& reply) {
  if (!base::trim(reply.body).starts_with('{')) return std::nullopt;
  return json::try_parse(reply.body);
}

// The first member of these that is a text.
std::string first_text(const json::Value& body,
                       std::initializer_list<std::initializer_list<std::string_view>> paths) {
  for (const auto& path : paths) {
    const std::string* text = json::as_string(json::find(body, path));
    if (text != nullptr && !text->empty()) return *text;
  }
  return "";
}

// What a request is not to be told of by an error.
std::vector<std::string> secrets_in(const net::HttpRequest& request) {
  std::vector<std::string> secrets;
  const auto fields = net::form_fields(request.body);
  for (const char* name : {"client_secret", "client_assertion"}) {
    const auto field = fields.find(name);
    if (field != fields.end()) secrets.push_back(field->second);
  }
  for (const auto& [name, value] : request.headers) {
    if (name == "X-IDENTITY-HEADER") secrets.push_back(value);
    if (name == "Authorization") secrets.push_back(value.substr(value.find(' ') + 1));
  }
  return secrets;
}

std::string without_secrets(std::string text, const net::HttpRequest& request) {
  for (const std::string& whole : secrets_in(request)) {
    const std::string secret = base::trim(whole);  // as a reply's line may have it
    if (secret.empty()) continue;
    text = base::replace_all(text, secret, "***");
    text = base::replace_all(text, net::percent_encode(secret), "***");
  }
  return text;
}

// ": invalid_client: AADSTS7000215: Invalid client secret provided. …", the reply's own words; ""
// when it has none. OAuth's members from Entra and IMDS, Azure's from App Service.
std::string words_in(const net::HttpResponse& reply, const net::HttpRequest& request) {
  const auto body = json_of(reply);
  if (!body) return "";
  const std::string word = first_text(*body, {{"error"}, {"error", "code"}});
  std::string text = first_text(*body, {{"error_description"}, {"error", "message"}, {"message"}});
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  std::string words;
  for (const std::string& part : {word, text}) {
    if (!part.empty()) words += ": " + without_secrets(base::one_line(part), request);
  }
  return base::shorten(words, kMostWords);
}

bool is_refusal(int status) {
  return status == 400 || status == 401 || status == 403;
}

// What to do after Entra's no.
std::string hint_for(const Credentials& credentials) {
  const std::string& secret = credentials.known.client_secret;
  switch (credentials.method) {
    case Method::secret:
      return fmt::format("check --client-id, --tenant and whether the secret has expired{}",
                         base::trim(secret) == secret
                             ? ""
                             : "; it has white space at one end, which belongs to no secret");
    case Method::certificate:
      return "check --client-id, --tenant and that this certificate is one of the app's";
    case Method::github:
      return "check --client-id, --tenant and that a federated credential of the app names this "
             "repository and branch, tag or environment";
    case Method::workload:
      return "check --client-id, --tenant and that a federated credential of the app names this "
             "issuer and service account";
    case Method::app_service:
    case Method::imds:
      break;
  }
  return "check that the managed identity is assigned to this app";
}

// What is no success and may pass, from whomever it comes.
base::Error passing_or_senseless(const net::HttpResponse& reply, const std::string& who,
                                 const std::string& words) {
  const std::string what = fmt::format("{} answers HTTP {}{}", who, reply.status, words);
  if (reply.status == 408 || reply.status == 410 || reply.status == 429 || reply.status >= 500) {
    return {base::exit_retries_spent, what + "; try again later"};
  }
  return {base::exit_malformed_reply,
          what + ", which is neither a token nor a refusal; check the address"};
}

base::Error entra_error(const net::HttpResponse& reply, const Credentials& credentials,
                        const std::string& words) {
  if (!is_refusal(reply.status)) {
    return passing_or_senseless(reply, "signing in: Microsoft Entra", words);
  }
  return {base::exit_refused,
          fmt::format("Microsoft Entra refuses to sign in by {} (HTTP {}){}; {}",
                      word_of(credentials.method), reply.status, words, hint_for(credentials))};
}

base::Error identity_error(const net::HttpResponse& reply, const Credentials& credentials,
                           const std::string& words) {
  const int status = reply.status;
  const bool is_imds = credentials.method == Method::imds;
  if (!is_imds && (status == 401 || status == 403)) {
    return {base::exit_refused,
            fmt::format("the App Service's managed identity gives no token (HTTP {}){}; {}", status,
                        words, hint_for(credentials))};
  }
  const bool may_pass = status == 408 || status == 410 || status == 429;
  if (status < 400 || status >= 500 || may_pass) {
    return passing_or_senseless(reply, "signing in: the managed identity's endpoint", words);
  }
  const std::string which =
      credentials.known.client_id.empty() ? "" : " with that --client-id (AZURE_CLIENT_ID)";
  return {base::exit_configuration,
          fmt::format("no managed identity{} is assigned to this {} (HTTP {}){}; assign one in "
                      "Azure, {}",
                      which, is_imds ? "machine" : "app", status, words,
                      other_ways(credentials.known))};
}

}  // namespace

Token read_token(const net::HttpResponse& reply, const net::HttpRequest& request,
                 const Credentials& credentials, int64_t asked_unix_s) {
  const bool is_managed =
      credentials.method == Method::app_service || credentials.method == Method::imds;
  if (reply.status != 200) {
    const std::string words = words_in(reply, request);
    throw is_managed ? identity_error(reply, credentials, words)
                     : entra_error(reply, credentials, words);
  }
  const std::string who = net::origin(request.url);
  const auto body = json_of(reply);
  const auto expires_unix_s = body ? expiry_in(*body, asked_unix_s) : std::nullopt;
  Token token{body ? json::string_at(*body, "access_token") : "", expires_unix_s.value_or(0)};
  if (token.text.empty() || !expires_unix_s) {
    throw base::Error(base::exit_malformed_reply,
                      fmt::format("signing in: the reply of {} holds no access_token, or not how "
                                  "long it lives; check the address",
                                  who));
  }
  if (token.expires_unix_s <= asked_unix_s) {
    throw base::Error(base::exit_malformed_reply,
                      fmt::format("signing in: the token from {} has expired already; check this "
                                  "machine's clock",
                                  who));
  }
  return token;
}

std::string read_github_token(const net::HttpResponse& reply, const net::HttpRequest& request) {
  const std::string words = words_in(reply, request);
  if (is_refusal(reply.status) || reply.status == 404) {
    throw base::Error(
        base::exit_refused,
        fmt::format(
            "GitHub gives this job no OIDC token (HTTP {}){}; check `permissions: id-token: "
            "write`, and that the job is still running",
            reply.status, words));
  }
  if (reply.status != 200) throw passing_or_senseless(reply, "signing in: GitHub", words);
  const auto body = json_of(reply);
  std::string token = body ? json::string_at(*body, "value") : "";
  if (!token.empty()) return token;
  throw base::Error(base::exit_malformed_reply,
                    fmt::format("signing in: the reply of {} holds no OIDC token; check "
                                "ACTIONS_ID_TOKEN_REQUEST_URL",
                                net::origin(request.url)));
}

}  // namespace azure
