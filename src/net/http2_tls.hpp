// TLS for HTTP/2 over a connected socket: ALPN "h2", SNI, the server's certificate and name, a
// client certificate when there is one. TLS 1.2 or newer (RFC 9113 section 9.2).
// Internal to src/net: it speaks OpenSSL's types.
//
// `place` is HOST:PORT, for error texts. No text holds anything of a key.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/error.hpp"
#include "net/http2.hpp"

namespace net {

using Tls = std::unique_ptr<SSL, decltype(&SSL_free)>;

// Ready for SSL_connect() on a non-blocking socket. Throws 78 for a CA file, certificate or key
// that can't be used.
Tls new_tls(int descriptor, const std::string& host, const Http2Options& options);

// Why a handshake failed, with what to do: 69. To be called right after it.
base::Error handshake_failure(const SSL* tls, const std::string& place, const CaLocation& ca);

// Throws 76 when the other side did not agree to "h2".
void check_alpn(const SSL* tls, const std::string& place);

// Why reading or writing failed, from SSL_get_error(): 75; but 69 when the server wants a client
// certificate, which TLS 1.3 says only then. To be called right after it.
base::Error broken_tls(int why, int system_error, const std::string& place);

}  // namespace net
