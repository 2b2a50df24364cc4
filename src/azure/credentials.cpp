#include "azure/credentials.hpp"

#include <fmt/format.h>

#include <span>
#include <vector>

#include "azure/cloud.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

// Something that a way needs, and how a person gives it.
struct Need {
  std::string Known::*what;
  const char* name;
};

constexpr Need kTenant{&Known::tenant, "--tenant (AZURE_TENANT_ID)"};
constexpr Need kClientId{&Known::client_id, "--client-id (AZURE_CLIENT_ID)"};
constexpr Need kSecret{&Known::client_secret, "--client-secret (AZURE_CLIENT_SECRET)"};
constexpr Need kCertificate{&Known::certificate_file,
                            "--certificate (AZURE_CLIENT_CERTIFICATE_PATH)"};
constexpr Need kTokenFile{&Known::federated_token_file,
                          "--federated-token-file (AZURE_FEDERATED_TOKEN_FILE)"};
constexpr Need kGithubUrl{&Known::github_url, "ACTIONS_ID_TOKEN_REQUEST_URL"};
constexpr Need kGithubToken{&Known::github_token, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"};
constexpr Need kIdentityEndpoint{&Known::identity_endpoint, "IDENTITY_ENDPOINT"};
constexpr Need kIdentityHeader{&Known::identity_header, "IDENTITY_HEADER"};

constexpr Need kSecretNeeds[] = {kTenant, kClientId, kSecret};
constexpr Need kCertificateNeeds[] = {kTenant, kClientId, kCertificate};
constexpr Need kGithubNeeds[] = {kTenant, kClientId, kGithubUrl, kGithubToken};
constexpr Need kWorkloadNeeds[] = {kTenant, kClientId, kTokenFile};
constexpr Need kAppServiceNeeds[] = {kIdentityEndpoint, kIdentityHeader};

constexpr const char* kPermission = "`permissions: id-token: write`";

std::span<const Need> needs_of(Method method) {
  switch (method) {
    case Method::secret:
      return kSecretNeeds;
    case Method::certificate:
      return kCertificateNeeds;
    case Method::github:
      return kGithubNeeds;
    case Method::workload:
      return kWorkloadNeeds;
    case Method::app_service:
      return kAppServiceNeeds;
    case Method::imds:
      break;
  }
  return {};
}

bool is_known(const Known& known, const Need& need) {
  return !(known.*need.what).empty();
}

std::vector<std::string> missing(const Known& known, Method method) {
  std::vector<std::string> names;
  for (const Need& need : needs_of(method)) {
    if (!is_known(known, need)) names.emplace_back(need.name);
  }
  return names;
}

base::Error misconfigured(const std::string& message) {
  return {base::exit_configuration, message};
}

// The person named this way.
Method all_of(const Known& known, Method method) {
  const std::vector<std::string> names = missing(known, method);
  if (names.empty()) return method;
  const bool may_not_ask =
      method == Method::github && (!is_known(known, kGithubUrl) || !is_known(known, kGithubToken));
  const std::string list =
      fmt::format("--auth {} needs {}", word_of(method), base::join(names, " and "));
  if (!may_not_ask) throw misconfigured(list);
  throw misconfigured(fmt::format("{}; {}", list,
                                  known.in_actions ? fmt::format("add {} to the job", kPermission)
                                                   : "it works only in a job of GitHub Actions"));
}

// Nobody named a way, but this part of one is known.
Method all_with(const Known& known, Method method, const Need& part) {
  const std::vector<std::string> names = missing(known, method);
  if (names.empty()) return method;
  const char* arc = method == Method::app_service ? " (Azure Arc sets only one of them, and is not "
                                                    "supported)"
                                                  : "";
  throw misconfigured(
      fmt::format("{} is given, which needs {} too{}; or choose another way to "
                  "sign in by --auth",
                  part.name, base::join(names, " and "), arc));
}

// Who is to sign in is known, but nothing that proves it.
base::Error unproven(const Known& known) {
  const std::string who =
      fmt::format("{} and {} are given, but no way to sign in", kTenant.name, kClientId.name);
  if (known.in_actions) {
    return misconfigured(fmt::format(
        "{}: add {} to the job, so that it may ask GitHub for a token (pull requests from forks "
        "never may), or give {}; --auth managed uses this machine's managed identity",
        who, kPermission, kSecret.name));
  }
  return misconfigured(fmt::format(
      "{}: give {}, {} or {}, or say --auth managed to use this machine's managed identity", who,
      kSecret.name, kCertificate.name, kTokenFile.name));
}

Method first_begun(const Known& known) {
  if (is_known(known, kSecret)) return all_with(known, Method::secret, kSecret);
  if (is_known(known, kCertificate)) return all_with(known, Method::certificate, kCertificate);
  if (missing(known, Method::github).empty()) return Method::github;
  if (is_known(known, kTokenFile)) return all_with(known, Method::workload, kTokenFile);
  for (const Need& part : kAppServiceNeeds) {
    if (is_known(known, part)) return all_with(known, Method::app_service, part);
  }
  const bool knows_who = is_known(known, kTenant) && is_known(known, kClientId);
  if (knows_who && known.imds_endpoint.empty()) throw unproven(known);
  return Method::imds;
}

Method managed(const Known& known) {
  const bool is_app_service =
      is_known(known, kIdentityEndpoint) || is_known(known, kIdentityHeader);
  return is_app_service ? all_of(known, Method::app_service) : Method::imds;
}

Method method_named(const Known& known, const std::string& auth) {
  if (auth.empty() || auth == "auto") return first_begun(known);
  if (auth == word_of(Method::imds)) return managed(known);
  for (const Method method :
       {Method::secret, Method::certificate, Method::github, Method::workload}) {
    if (auth == word_of(method)) return all_of(known, method);
  }
  throw base::Error(
      base::exit_usage,
      fmt::format("--auth is auto, secret, certificate, github, workload or managed, not \"{}\"",
                  base::shorten(base::one_line(auth), 40)));
}

// It becomes part of an address.
void check_tenant(const std::string& tenant) {
  constexpr const char* kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
  if (tenant.find_first_not_of(kCharacters) == std::string::npos) return;
  throw misconfigured(fmt::format(
      "{} is no tenant: an ID or a domain has only letters, digits, - and .", kTenant.name));
}

std::string field(const json::Value& creds, const char* name) {
  return base::trim(json::string_at(creds, name));
}

std::string endpoint(const json::Value& document, const char* name, const std::string& source) {
  const std::string url = field(document, name);
  if (!url.empty() && !net::is_http_url(url)) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} has no http or https URL as {}", source, name));
  }
  return without_slash(url);
}

}  // namespace

std::string_view word_of(Method method) {
  switch (method) {
    case Method::secret:
      return "secret";
    case Method::certificate:
      return "certificate";
    case Method::github:
      return "github";
    case Method::workload:
      return "workload";
    case Method::app_service:
    case Method::imds:
      break;
  }
  return "managed";
}

Credentials choose(const Known& known, const std::string& auth) {
  Credentials credentials{Method::imds, known};
  credentials.known.tenant = base::trim(known.tenant);
  credentials.known.client_id = base::trim(known.client_id);
  check_tenant(credentials.known.tenant);
  credentials.method = method_named(credentials.known, auth);
  return credentials;
}

std::string other_ways(const Known& known) {
  const std::string who = fmt::format("{} and {}", kTenant.name, kClientId.name);
  if (known.in_actions) {
    const bool may_ask = is_known(known, kGithubUrl) && is_known(known, kGithubToken);
    return fmt::format("to sign in by GitHub's OIDC token give {}{}; or with them {}", who,
                       may_ask ? "" : fmt::format(" and add {} to the job", kPermission),
                       kSecret.name);
  }
  return fmt::format("else sign in by {} with {}, {} or {}, or in a GitHub job with {}", who,
                     kSecret.name, kCertificate.name, kTokenFile.name, kPermission);
}

Creds read_creds(const std::string& json_text, const std::string& source) {
  const json::Value document = json::parse(json_text, source);
  std::vector<std::string> names;
  for (const char* name : {"clientId", "clientSecret", "tenantId"}) {
    if (field(document, name).empty()) names.emplace_back(name);
  }
  if (!names.empty()) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} has no text as {}; it is the JSON that azure/login takes: "
                                  "clientId, clientSecret, tenantId, subscriptionId",
                                  source, base::join(names, " and ")));
  }
  return {field(document, "clientId"),
          json::string_at(document, "clientSecret"),
          field(document, "tenantId"),
          field(document, "subscriptionId"),
          endpoint(document, "resourceManagerEndpointUrl", source),
          endpoint(document, "activeDirectoryEndpointUrl", source)};
}

}  // namespace azure
