#include "net/reach.hpp"

#include "net/curl_connection.hpp"

namespace net {

void try_connection(const std::string& url, const CurlOptions& options, int64_t timeout_ms) {
  const CurlHandle curl = new_curl_handle();
  const Ca ca = ca_for(url, options);
  char error_text[CURL_ERROR_SIZE] = "";
  set_connection(curl.get(), url, options, ca, error_text);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, long{timeout_ms});
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) throw connection_failure(curl.get(), code, error_text, url, ca);
}

}  // namespace net
