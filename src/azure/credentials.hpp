// Which way to sign in to Azure, by what is known.
//
// The ways and their order: a client secret, a certificate, GitHub's OIDC token, the token file of
// a workload identity, the managed identity of an App Service, that of this machine (IMDS). What
// was begun is not given up for a later way: a secret without a tenant is an error that names the
// tenant, not a question to a machine's identity that nobody meant.
// Source: learn.microsoft.com "DefaultAzureCredential", "Azure Identity environment variables",
// the README of Azure/login; docs.github.com "OpenID Connect reference".
#pragma once

#include <string>
#include <string_view>

namespace azure {

enum class Method { secret, certificate, github, workload, app_service, imds };

// For messages and for --auth: "secret", "certificate", "github", "workload", and "managed" for the
// last two.
std::string_view word_of(Method method);

// Everything that may be known from options and environment; "" is absent.
struct Known {
  std::string tenant;                // --tenant, AZURE_TENANT_ID
  std::string client_id;             // --client-id, AZURE_CLIENT_ID
  std::string client_secret;         // --client-secret, AZURE_CLIENT_SECRET
  std::string certificate_file;      // --certificate, AZURE_CLIENT_CERTIFICATE_PATH
  std::string certificate_password;  // --certificate-password, AZURE_CLIENT_CERTIFICATE_PASSWORD
  std::string federated_token_file;  // --federated-token-file, AZURE_FEDERATED_TOKEN_FILE
  std::string github_url;            // ACTIONS_ID_TOKEN_REQUEST_URL
  std::string github_token;          // ACTIONS_ID_TOKEN_REQUEST_TOKEN
  std::string identity_endpoint;     // IDENTITY_ENDPOINT
  std::string identity_header;       // IDENTITY_HEADER
  std::string imds_endpoint;         // AZURE_POD_IDENTITY_AUTHORITY_HOST
  bool in_actions = false;           // this is a job of GitHub Actions
};

struct Credentials {
  Method method = Method::imds;
  Known known;  // tenant and client ID without white space around them
};

// `auth` names a way, or is "auto" or "" for the first one that is begun. Throws 64 for another
// word, 78 when something is missing (each named by option and variable) and for a tenant that
// can't be one.
Credentials choose(const Known& known, const std::string& auth);

// How to sign in where a managed identity did not work out: the end of an error text.
std::string other_ways(const Known& known);

// The JSON of azure/login's input "creds".
struct Creds {
  std::string client_id;
  std::string client_secret;
  std::string tenant;
  std::string subscription;  // "" when it names none
  std::string arm_endpoint;  // no slash at the end; "" when it names none
  std::string authority;     // the same
};

// `source` names the text in errors. Throws 65 when it is no JSON, or lacks clientId, clientSecret
// or tenantId; no error holds anything of it.
Creds read_creds(const std::string& json_text, const std::string& source);

}  // namespace azure
