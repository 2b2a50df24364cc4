#include "net/certificate.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace net {

namespace {

constexpr int kSaltBytes = 32;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

// What OpenSSL says of a failure stays in a queue of its thread, where the next TLS connection
// would find it.
struct CleanErrors {
  CleanErrors() = default;
  CleanErrors(const CleanErrors&) = delete;
  CleanErrors& operator=(const CleanErrors&) = delete;
  ~CleanErrors() { ERR_clear_error(); }
};

struct Password {
  const std::string& text;
  bool was_asked = false;
};

// OpenSSL's callback; without one it would ask at the terminal.
int give_password(char* to, int size, int /*for_writing*/, void* from) {
  auto& password = *static_cast<Password*>(from);
  password.was_asked = true;
  const size_t length = password.text.size();
  if (length == 0 || length > static_cast<size_t>(size)) return -1;
  std::copy(password.text.begin(), password.text.end(), to);
  return static_cast<int>(length);
}

base::Error unusable(const PemFile& file, const std::string& why) {
  return {base::exit_configuration, fmt::format("{} {}", file.source, why)};
}

Bio reader_of(const std::string& text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  if (!bio) throw base::Error(base::exit_our_bug, "OpenSSL reads no memory; please report this");
  return bio;
}

bool holds(const PemFile& file, const char* words) {
  return file.text.find(words) != std::string::npos;
}

void check_is_pem(const PemFile& file) {
  if (holds(file, "-----BEGIN ")) return;
  throw unusable(file,
                 "is no PEM text; make one of a PKCS#12 file: openssl pkcs12 -in FILE.pfx -out "
                 "FILE.pem -nodes");
}

std::shared_ptr<EVP_PKEY> read_key(const PemFile& file) {
  Password password{file.password};
  const Bio bio = reader_of(file.text);
  std::shared_ptr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, &password), EVP_PKEY_free);
  if (!key && password.was_asked) {
    const char* what = file.password.empty() ? "has an encrypted key; give its password by"
                                             : "has a key that this password does not open; check";
    throw unusable(file, fmt::format("{} {}", what, file.password_option));
  }
  if (!key && holds(file, "PRIVATE KEY-----")) {
    throw unusable(file, "has a private key that can't be read; is it whole?");
  }
  if (!key) throw unusable(file, "has no private key; put key and certificate into one file");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    throw unusable(file, "has a key that is not RSA; only RSA is taken, make a new certificate");
  }
  return key;
}

std::string sha256_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    throw base::Error(base::exit_our_bug, "OpenSSL computes no SHA-256; please report this");
  }
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

Certificate read_certificate(const PemFile& file) {
  const CleanErrors clean;
  check_is_pem(file);
  const std::shared_ptr<EVP_PKEY> key = read_key(file);
  const Bio bio = reader_of(file.text);
  for (bool has_one = false;; has_one = true) {
    const X509Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                      X509_free);
    if (!certificate && has_one) {
      throw unusable(file, "has a key and a certificate that do not belong together");
    }
    if (!certificate) {
      throw unusable(file, "has no certificate; put key and certificate into one file");
    }
    if (X509_check_private_key(certificate.get(), key.get()) == 1) {
      return {sha256_of(certificate.get()), key};
    }
  }
}

std::string sign_ps256(const Certificate& certificate, std::string_view bytes) {
  const CleanErrors clean;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;  // belongs to context
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  std::string signature(static_cast<size_t>(EVP_PKEY_get_size(certificate.key.get())), '\0');
  size_t size = signature.size();
  const bool is_done =
      context != nullptr &&
      EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, certificate.key.get()) ==
          1 &&
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, kSaltBytes) == 1 &&
      EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha256()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, from,
                     bytes.size()) == 1;
  if (!is_done) {
    throw base::Error(base::exit_configuration,
                      "the certificate's key can't sign by PS256; make one of 2048 bits or more");
  }
  signature.resize(size);
  return signature;
}

}  // namespace net
