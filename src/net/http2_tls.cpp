#include "net/http2_tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>

#include "net/ca_store.hpp"

namespace net {

namespace {

constexpr size_t kReadAheadBytes = size_t{64} << 10U;
constexpr std::array<unsigned char, 3> kH2 = {2, 'h', '2'};
constexpr const char* kWantsCertificate =
    "; does it want a client certificate? (userCertFile=FILE, userKeyFile=FILE)";

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// Without it OpenSSL would ask at the terminal.
int give_no_password(char* /*to*/, int /*size*/, int /*for_writing*/, void* /*none*/) {
  return -1;
}

// OpenSSL's words for the first failure since the errors were cleared: the cause of the others.
std::string words_or(const char* otherwise) {
  const unsigned long error = ERR_peek_error();
  if (error == 0) return otherwise;
  const char* words = ERR_SYSTEM_ERROR(error) ? std::strerror(ERR_GET_REASON(error))
                                              : ERR_reason_error_string(error);
  return words == nullptr ? otherwise : words;
}

bool is_mismatch(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_X509 &&
         (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
          ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
}

void set_client_certificate(SSL_CTX* context, const Http2Options& options) {
  const std::string& certificate = options.client_certificate_file;
  const std::string& key = options.client_key_file;
  if (certificate.empty() && key.empty()) return;
  SSL_CTX_set_default_passwd_cb(context, give_no_password);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    const std::string text =
        fmt::format("the client certificate {} can't be read: {}; it has to be a PEM file",
                    certificate, words_or("no certificate"));
    throw base::Error(base::exit_configuration, text);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1) return;
  const std::string text =
      is_mismatch(ERR_peek_error())
          ? fmt::format("the client key {} does not belong to the certificate {}", key, certificate)
          : fmt::format(
                "the client key {} can't be read: {}; it has to be a PEM file without a "
                "password",
                key, words_or("no key"));
  throw base::Error(base::exit_configuration, text);
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

// A name is told to the server, an address is not (RFC 6066 section 3). False when OpenSSL refuses.
bool set_name(SSL* tls, std::string host, bool verify) {
  if (host.ends_with('.')) host.pop_back();
  const bool by_address = is_address(host);
  if (!by_address) {  // SSL_set_tlsext_host_name(), whose macro has an old-style cast
    const long result =
        SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
    if (result != 1) return false;
  }
  if (!verify) return true;
  SSL_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (by_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str()) == 1;
  return SSL_set1_host(tls, host.c_str()) == 1;
}

std::string certificate_remedy(long verified, const CaLocation& ca) {
  if (ca.file.empty() && ca.directory.empty()) {
    return "; no CA certificates were found on this machine; install the package "
           "ca-certificates or name the server's CA by tlsCaFile=FILE";
  }
  if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "; connect by a name that stands in its certificate";
  }
  if (verified == X509_V_ERR_CERT_HAS_EXPIRED || verified == X509_V_ERR_CERT_NOT_YET_VALID) {
    return "; check this machine's clock and the server's certificate";
  }
  return fmt::format(
      "; its certificate is not signed by a CA in {}; if it is to be trusted, name its CA by "
      "tlsCaFile=FILE",
      ca.file.empty() ? ca.directory : ca.file);
}

}  // namespace

Tls new_tls(int descriptor, const std::string& host, const Http2Options& options) {
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (context == nullptr) throw base::Error(base::exit_our_bug, "OpenSSL does not start");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // An end without a goodbye is one too: HTTP/2 knows by itself what is whole.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAheadBytes);
  if (options.verify) SSL_CTX_set1_cert_store(context.get(), ca_store(options.ca).get());
  set_client_certificate(context.get(), options);

  Tls tls(SSL_new(context.get()), SSL_free);
  const bool is_set = tls != nullptr && SSL_set_fd(tls.get(), descriptor) == 1 &&
                      SSL_set_alpn_protos(tls.get(), kH2.data(), kH2.size()) == 0 &&
                      set_name(tls.get(), host, options.verify);
  if (!is_set) {
    throw base::Error(base::exit_configuration, fmt::format("{} is no name for TLS", host));
  }
  return tls;
}

base::Error handshake_failure(const SSL* tls, const std::string& place, const CaLocation& ca) {
  const long verified = SSL_get_verify_result(tls);
  if (verified != X509_V_OK) {
    return {base::exit_unavailable,
            fmt::format("TLS with {} failed: {}{}", place, X509_verify_cert_error_string(verified),
                        certificate_remedy(verified, ca))};
  }
  const int reason = ERR_GET_REASON(ERR_peek_error());
  std::string remedy;
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    remedy = "; does it speak without TLS? (tls=false)";
  }
  if (reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE) remedy = kWantsCertificate;
  if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) remedy = "; it speaks no HTTP/2";
  return {base::exit_unavailable, fmt::format("TLS with {} failed: {}{}", place,
                                              words_or("the server ended the connection"), remedy)};
}

void check_alpn(const SSL* tls, const std::string& place) {
  const unsigned char* agreed = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls, &agreed, &size);
  if (size == 2 && std::memcmp(agreed, "h2", 2) == 0) return;
  throw base::Error(
      base::exit_malformed_reply,
      fmt::format("{} speaks no HTTP/2 over TLS (ALPN); is the port right, and no proxy before it?",
                  place));
}

base::Error broken_tls(int why, int system_error, const std::string& place) {
  const bool by_system = why == SSL_ERROR_SYSCALL && ERR_peek_error() == 0;
  const std::string words = by_system && system_error != 0 ? std::strerror(system_error)
                                                           : words_or("the server ended it");
  const int reason = ERR_GET_REASON(ERR_peek_error());
  if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED ||
      reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE || reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA) {
    return {base::exit_unavailable,
            fmt::format("TLS with {} failed: {}{}", place, words, kWantsCertificate)};
  }
  return {base::exit_retries_spent, fmt::format("the connection to {} broke: {}", place, words)};
}

}  // namespace net
