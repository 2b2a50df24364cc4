#include "net/curl.hpp"

#include <ares.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "base/text.hpp"
#include "net/curl_connection.hpp"
#include "net/url.hpp"

namespace net {

namespace {

constexpr size_t kMaxReplyBytes = size_t{8} << 20U;

constexpr const char* kMayBeDone = "; it may have been done: look before you send it again";

// What one exchange collects while curl runs.
struct Exchange {
  const HttpRequest& request;
  HttpResponse response;
  bool reply_too_long = false;
  int64_t sent_bytes = 0;         // of the request's stream
  std::exception_ptr stopped_by;  // thrown by one of the request's functions
};

size_t take_body(const char* data, size_t /*one*/, size_t size, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  if (exchange.response.body.size() + size > kMaxReplyBytes) {
    exchange.reply_too_long = true;
    return 0;
  }
  exchange.response.body.append(data, size);
  return size;
}

size_t take_header(const char* data, size_t /*one*/, size_t size, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  const std::string_view line(data, size);
  const bool is_status_line = line.starts_with("HTTP/");
  if (is_status_line) exchange.response.headers.clear();  // a proxy's or a 100's came before
  const size_t colon = line.find(':');
  if (!is_status_line && colon != std::string_view::npos) {
    exchange.response.headers.emplace_back(base::lower_ascii(line.substr(0, colon)),
                                           base::trim(line.substr(colon + 1)));
  }
  return size;
}

size_t give_body(char* to, size_t /*one*/, size_t most, void* from) {
  auto& exchange = *static_cast<Exchange*>(from);
  const BodyStream& stream = *exchange.request.stream;
  const auto left = static_cast<size_t>(stream.bytes - exchange.sent_bytes);
  if (left == 0) return 0;
  try {
    const size_t given = stream.read(exchange.sent_bytes, to, std::min(most, left));
    exchange.sent_bytes += static_cast<int64_t>(given);
    return given;
  } catch (...) {  // must not cross C code
    exchange.stopped_by = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

// curl goes back to the start when a proxy wants the request once more.
int seek_body(void* from, curl_off_t offset, int origin_of_offset) {
  if (origin_of_offset != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Exchange*>(from)->sent_bytes = offset;
  return CURL_SEEKFUNC_OK;
}

int tell_progress(void* to, curl_off_t /*to_receive*/, curl_off_t /*received*/,
                  curl_off_t /*to_send*/, curl_off_t sent) {
  auto& exchange = *static_cast<Exchange*>(to);
  try {
    exchange.request.on_progress(sent);
    return 0;
  } catch (...) {  // must not cross C code
    exchange.stopped_by = std::current_exception();
    return 1;
  }
}

struct HeaderList {
  curl_slist* list = nullptr;
  explicit HeaderList(const Headers& headers) {
    for (const auto& [name, value] : headers) add(fmt::format("{}: {}", name, value));
    add("Expect:");  // no waiting for a "100 Continue"
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }

 private:
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

void set_request(CURL* curl, const HttpRequest& request, const HeaderList& headers) {
  // libcurl sends a request again by itself when a connection it reused breaks, which only a
  // harmless one may be.
  const long is_alone = request.repeatable && request.method == "GET" ? 0 : 1;
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, is_alone);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, is_alone);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  if (request.method == "GET") return;
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.stream) return;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
}

// A time-out for the whole exchange; a long stream may take what it takes, as long as it moves.
void set_timeout(CURL* curl, const HttpRequest& request) {
  if (!request.stream) {
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long{request.timeout_ms});
    return;
  }
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, long{(request.timeout_ms + 999) / 1000});
}

void set_callbacks(CURL* curl, Exchange& exchange) {
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  if (exchange.request.stream) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(exchange.request.stream->bytes));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
  }
  if (exchange.request.on_progress) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  }
}

// True from the moment the request may have been written: connected, and the TLS handshake over.
// What a proxy got to read by CONNECT does not count.
bool request_written(CURL* curl) {
  double ready_s = 0;
  curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME, &ready_s);
  return ready_s > 0;
}

HttpError failure(CURL* curl, CURLcode code, const char* details, const HttpRequest& request,
                  const Exchange& exchange, const Ca& ca) {
  if (!request_written(curl)) return connection_failure(curl, code, details, request.url, ca);
  const std::string host = origin(request.url);
  const std::string why = words_of(code, details);
  const char* doubt = request.repeatable ? "" : kMayBeDone;
  if (exchange.reply_too_long) {
    const std::string text =
        fmt::format("the reply of {} is longer than {} MiB; check the address{}", host,
                    kMaxReplyBytes >> 20U, doubt);
    return {base::exit_malformed_reply, text, false};
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    const std::string text =
        fmt::format("no whole reply from {} within {} ms{}", host, request.timeout_ms, doubt);
    return {base::exit_retries_spent, text, false};
  }
  const bool cut =
      code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
  const bool nothing_came = cut && exchange.response.headers.empty();
  return {nothing_came ? base::exit_retries_spent : base::exit_malformed_reply,
          fmt::format("no whole reply from {}: {}{}", host, why, doubt), false};
}

HttpResponse exchange_with(CURL* curl, const HttpRequest& request, const CurlOptions& options) {
  curl_easy_reset(curl);
  const Ca ca = ca_for(request.url, options);
  const HeaderList headers(request.headers);
  Exchange exchange{request, {}, false, 0, nullptr};
  char error_text[CURL_ERROR_SIZE] = "";
  set_connection(curl, request.url, options, ca, error_text);
  if (request.direct) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  set_request(curl, request, headers);
  set_timeout(curl, request);
  set_callbacks(curl, exchange);
  const CURLcode code = curl_easy_perform(curl);
  if (exchange.stopped_by) std::rethrow_exception(exchange.stopped_by);
  if (code != CURLE_OK) throw failure(curl, code, error_text, request, exchange, ca);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return exchange.response;
}

}  // namespace

Http curl_http(const CurlOptions& options) {
  const CurlHandle curl = new_curl_handle();
  return [curl, options](const HttpRequest& request) {
    return exchange_with(curl.get(), request, options);
  };
}

std::string curl_version() {
  return curl_version_info(CURLVERSION_NOW)->version;
}

std::string openssl_version() {
  return OpenSSL_version(OPENSSL_VERSION_STRING);
}

std::string cares_version() {
  return ares_version(nullptr);
}

}  // namespace net
