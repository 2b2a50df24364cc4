#include "azure/token.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "json/value.hpp"
#include "json/write.hpp"
#include "net/base64.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr const char* kImds = "http://169.254.169.254";
constexpr const char* kImdsPath = "/metadata/identity/oauth2/token";
constexpr int64_t kImdsTimeoutMs = 5'000;
constexpr const char* kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr int64_t kAssertionLifeS = 600;

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string form(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    text += name + "=" + net::percent_encode(value);
  }
  return text;
}

std::string with_query(const std::string& url, const Fields& fields) {
  const char* joint = url.find('?') == std::string::npos ? "?" : "&";
  return url + joint + form(fields);
}

net::HttpRequest post(const std::string& url, const Fields& fields) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = form(fields);
  request.repeatable = true;
  return request;
}

net::HttpRequest get(const std::string& url, const std::string& header, const std::string& value) {
  net::HttpRequest request;
  request.url = url;
  request.headers = {{header, value}, {"Accept", "application/json"}};
  request.repeatable = true;
  return request;
}

std::string scope_of(const Cloud& cloud) {
  return without_slash(cloud.arm) + "/.default";
}

net::HttpRequest identity_request(const std::string& url, const char* version,
                                  const std::string& header, const std::string& value,
                                  const Known& known, const Cloud& cloud) {
  Fields fields = {{"api-version", version}, {"resource", without_slash(cloud.arm)}};
  if (!known.client_id.empty()) fields.emplace_back("client_id", known.client_id);
  net::HttpRequest request = get(with_query(url, fields), header, value);
  request.direct = true;  // the answer is about who asks
  return request;
}

}  // namespace

std::string token_url(const Known& known, const Cloud& cloud) {
  return fmt::format("{}/{}/oauth2/v2.0/token", without_slash(cloud.authority),
                     net::percent_encode(known.tenant));
}

net::HttpRequest secret_request(const Known& known, const Cloud& cloud) {
  return post(token_url(known, cloud), {{"grant_type", "client_credentials"},
                                        {"client_id", known.client_id},
                                        {"client_secret", known.client_secret},
                                        {"scope", scope_of(cloud)}});
}

net::HttpRequest assertion_request(const Known& known, const Cloud& cloud,
                                   const std::string& assertion) {
  return post(token_url(known, cloud), {{"grant_type", "client_credentials"},
                                        {"client_id", known.client_id},
                                        {"client_assertion_type", kAssertionType},
                                        {"client_assertion", assertion},
                                        {"scope", scope_of(cloud)}});
}

net::HttpRequest github_request(const Known& known) {
  return get(with_query(known.github_url, {{"audience", "api://AzureADTokenExchange"}}),
             "Authorization", "Bearer " + known.github_token);
}

net::HttpRequest app_service_request(const Known& known, const Cloud& cloud) {
  return identity_request(known.identity_endpoint, "2019-08-01", "X-IDENTITY-HEADER",
                          known.identity_header, known, cloud);
}

net::HttpRequest imds_request(const Known& known, const Cloud& cloud) {
  const std::string host = known.imds_endpoint.empty() ? kImds : without_slash(known.imds_endpoint);
  net::HttpRequest request =
      identity_request(host + kImdsPath, "2018-02-01", "Metadata", "true", known, cloud);
  request.timeout_ms = kImdsTimeoutMs;
  return request;
}

std::string certificate_assertion(const net::Certificate& certificate, const std::string& client_id,
                                  const std::string& audience, int64_t now_unix_s,
                                  const std::string& jti) {
  const json::Object header = {
      {"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", net::base64url(certificate.sha256)}};
  const json::Object claims = {{"aud", audience},
                               {"iss", client_id},
                               {"sub", client_id},
                               {"jti", jti},
                               {"iat", now_unix_s},
                               {"nbf", now_unix_s},
                               {"exp", now_unix_s + kAssertionLifeS}};
  const std::string to_sign =
      net::base64url(json::write(header)) + "." + net::base64url(json::write(claims));
  return to_sign + "." + net::base64url(net::sign_ps256(certificate, to_sign));
}

}  // namespace azure
