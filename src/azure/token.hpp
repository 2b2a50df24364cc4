// Bearer tokens for Azure Resource Manager: the requests that ask for one, and what comes back.
//
// Requests may be sent again. Field names and values are those of @azure/identity, and so is the
// resource without a slash at the end that managed identities are asked for.
// Source: learn.microsoft.com "OAuth 2.0 client credentials flow", "certificate credentials for
// application authentication", "How to use managed identities … acquire an access token", "How to
// use managed identities for App Service"; docs.github.com "OpenID Connect reference".
#pragma once

#include <cstdint>
#include <string>

#include "azure/cloud.hpp"
#include "azure/credentials.hpp"
#include "net/certificate.hpp"
#include "net/http.hpp"

namespace azure {

struct Token {
  std::string text;
  int64_t expires_unix_s = 0;
};

// --- Requests ---

// Where Entra gives tokens: "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token".
std::string token_url(const Known& known, const Cloud& cloud);

net::HttpRequest secret_request(const Known& known, const Cloud& cloud);

// With an assertion instead of the secret: by certificate, from GitHub, from a workload's file.
net::HttpRequest assertion_request(const Known& known, const Cloud& cloud,
                                   const std::string& assertion);

// Asks GitHub for an ID token that Entra takes as an assertion.
net::HttpRequest github_request(const Known& known);

// Asks a managed identity: of an App Service, of this machine. The client ID, if there is one,
// names which of several.
net::HttpRequest app_service_request(const Known& known, const Cloud& cloud);
net::HttpRequest imds_request(const Known& known, const Cloud& cloud);

// The assertion of a certificate, a JWT that is good for ten minutes. `jti` must never come again.
std::string certificate_assertion(const net::Certificate& certificate, const std::string& client_id,
                                  const std::string& audience, int64_t now_unix_s,
                                  const std::string& jti);

// --- Replies ---

// The token that came for a request sent at asked_unix_s. Throws 77 when Entra refuses (400, 401,
// 403), 78 when the managed identity asked for is not there, 75 for 408, 410, 429 and 5xx, 76 for
// anything that is neither a token nor a no, and for a token that has expired. What the request
// held of secrets is in no error, even if the reply repeats it.
Token read_token(const net::HttpResponse& reply, const net::HttpRequest& request,
                 const Credentials& credentials, int64_t asked_unix_s);

// GitHub's ID token. Throws 77 when it gives none, 75 and 76 as above.
std::string read_github_token(const net::HttpResponse& reply, const net::HttpRequest& request);

}  // namespace azure
