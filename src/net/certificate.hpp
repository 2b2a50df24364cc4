// A certificate and its private key, from one PEM text, to sign tokens with (OpenSSL behind it).
//
// RSA only. The text may hold other certificates (a chain) and comments; what belongs to the key is
// taken, in whatever order they stand. PKCS#12 (PFX) is refused with the command that converts it.
// No error holds anything of the key or the password.
// Source: RFC 7468 (PEM), RFC 7518 section 3.5 (PS256), RFC 8017 (RSASSA-PSS).
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace net {

struct PemFile {
  std::string text;
  std::string source;           // names it in errors: "the certificate in key.pem"
  std::string password;         // of an encrypted key, else ""
  std::string password_option;  // where a password is given: "--password (PASSWORD)"
};

struct Certificate {
  std::string sha256;                // of its DER form: 32 bytes
  std::shared_ptr<evp_pkey_st> key;  // its private key
};

// Throws 78: no PEM, no key, password missing or wrong, no RSA key, no certificate, none that
// belongs to the key.
Certificate read_certificate(const PemFile& file);

// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes. Throws 78 when OpenSSL can't
// with this key (it is too short).
std::string sign_ps256(const Certificate& certificate, std::string_view bytes);

}  // namespace net
