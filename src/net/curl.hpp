// The one real HTTP client, on libcurl: HTTP/1.1, TLS with the system's CA certificates, proxies
// as curl does them (HTTPS_PROXY, NO_PROXY…), no redirects followed. Repeatable GETs share
// connections, any other request has one of its own.
#pragma once

#include <string>

#include "base/env.hpp"
#include "net/http.hpp"

namespace net {

struct CurlOptions {
  std::string user_agent;
  base::Env env;      // SSL_CERT_FILE, SSL_CERT_DIR
  std::string proxy;  // URL, may hold a password; "" for what the environment says
};

// Throws HttpError from the returned function; see there for codes.
Http curl_http(const CurlOptions& options);

std::string curl_version();
std::string openssl_version();
std::string cares_version();

}  // namespace net
