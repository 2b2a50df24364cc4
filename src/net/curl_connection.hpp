// What every use of libcurl here has in common: how it finds the other side. TLS with the machine's
// CA certificates, proxies as curl does them, HTTP/1.1.
// Internal to src/net: it speaks curl's types.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "net/ca_store.hpp"
#include "net/curl.hpp"

namespace net {

using CurlHandle = std::shared_ptr<CURL>;

// Throws 70 when libcurl does not start.
CurlHandle new_curl_handle();

// Whom to trust; must live as long as the exchange.
struct Ca {
  CaLocation location;
  std::shared_ptr<X509_STORE> store;  // none without TLS
};

// The CA certificates that a URL needs. Throws 78 as find_ca() and ca_store() do.
Ca ca_for(const std::string& url, const CurlOptions& options);

// The options of a connection: address, CA, proxy, time-out for connecting, the buffer
// (CURL_ERROR_SIZE) for curl's words. The strings are copied; the buffer must outlive the handle's
// use.
void set_connection(CURL* curl, const std::string& url, const CurlOptions& options, const Ca& ca,
                    char* error_text);

// Why there is no connection, in words without the URL: 78 for an address or CA file that can't be
// used, else 69.
HttpError connection_failure(CURL* curl, CURLcode code, const std::string& details,
                             const std::string& url, const Ca& ca);

// curl's own words, but for those that may quote the user and password of a proxy.
std::string words_of(CURLcode code, const std::string& details);

}  // namespace net
