#include "net/curl_connection.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "net/url.hpp"

namespace net {

namespace {

constexpr long kConnectTimeoutMs = 10'000;

CURLcode give_store(CURL* /*curl*/, void* context, void* store) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
  return CURLE_OK;
}

void set_ca(CURL* curl, const Ca& ca) {
  if (ca.store == nullptr) return;
  curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, give_store);
  curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, ca.store.get());
}

// What to do about a certificate that was refused: only for an unknown issuer is it another CA.
std::string tls_remedy(CURL* curl, const CaLocation& ca) {
  if (ca.file.empty() && ca.directory.empty()) {
    return "; no CA certificates were found on this machine; install the package "
           "ca-certificates or set SSL_CERT_FILE";
  }
  long verified = X509_V_OK;
  curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verified);
  const bool unknown_issuer = verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                              verified == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
                              verified == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
  if (!unknown_issuer)
    return "; check the address, this machine's clock and the server's certificate";
  return fmt::format(
      "; its certificate is not signed by a CA in {}; if that CA is to be trusted, set "
      "SSL_CERT_FILE to a bundle that holds it",
      ca.file.empty() ? ca.directory : ca.file);
}

// What to do when there was no way to the server.
const char* way_remedy(CURLcode code, const std::string& why) {
  constexpr const char* kProxy = "check the proxy (--proxy, HTTPS_PROXY, HTTP_PROXY)";
  if (code == CURLE_COULDNT_RESOLVE_HOST) return "check the name, and this machine's DNS";
  if (code == CURLE_COULDNT_RESOLVE_PROXY) return kProxy;
  if (why.find("response 407") != std::string::npos) return "check the proxy's user and password";
  if (why.find("CONNECT") != std::string::npos) return kProxy;
  return "check the address, and whether a firewall or a proxy stands between";
}

}  // namespace

CurlHandle new_curl_handle() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw base::Error(base::exit_our_bug, "libcurl does not start");
  }
  CurlHandle curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) throw base::Error(base::exit_our_bug, "libcurl gives no handle");
  return curl;
}

Ca ca_for(const std::string& url, const CurlOptions& options) {
  if (!origin(url).starts_with("https:")) return {};
  const CaLocation location = find_ca(options.env, path_exists);
  return {location, ca_store(location)};
}

void set_connection(CURL* curl, const std::string& url, const CurlOptions& options, const Ca& ca,
                    char* error_text) {
  set_ca(curl, ca);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  if (options.proxy.empty()) return;
  curl_easy_setopt(curl, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "");  // NO_PROXY belongs to the environment's proxies
}

std::string words_of(CURLcode code, const std::string& details) {
  const bool usable = !details.empty() && details.find('@') == std::string::npos;
  return usable ? details : curl_easy_strerror(code);
}

HttpError connection_failure(CURL* curl, CURLcode code, const std::string& details,
                             const std::string& url, const Ca& ca) {
  const std::string host = origin(url);
  const std::string why = words_of(code, details);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return {base::exit_configuration, "the address is no http or https URL", false};
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    const std::string text =
        fmt::format("TLS with {} failed: {}{}", host, why, tls_remedy(curl, ca.location));
    return {base::exit_unavailable, text, false};
  }
  const std::string text =
      fmt::format("can't connect to {}: {}; {}", host, why, way_remedy(code, why));
  return {base::exit_unavailable, text, true};
}

}  // namespace net
