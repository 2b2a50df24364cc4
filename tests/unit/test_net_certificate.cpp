#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "net/certificate.hpp"

namespace {

constexpr const char* kPassword = "for tests only";

std::string fixture(const std::string& name) {
  return base::read_file(std::string(FIXTURES) + "/azure/for_tests_only_" + name + ".pem", 1 << 20,
                         "a fixture");
}

net::PemFile pem(const std::string& text, const std::string& password = "") {
  return {text, "the certificate in x.pem", password, "--password (PASSWORD)"};
}

// The block of that name, with its lines BEGIN and END.
std::string block(const std::string& text, const std::string& name) {
  const size_t start = text.find("-----BEGIN " + name);
  const std::string last = "-----END " + name + "-----\n";
  return text.substr(start, text.find(last) + last.size() - start);
}

std::string key_of(const std::string& text) {
  return block(text, "PRIVATE KEY");
}

std::string certificate_of(const std::string& text) {
  return block(text, "CERTIFICATE");
}

// "CODE TEXT" of the error.
std::string failure(const net::PemFile& file) {
  try {
    net::read_certificate(file);
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
  return "no error";
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 0xFU];
  }
  return text;
}

bool verifies(const std::string& signature, const std::string& bytes) {
  const std::string text = certificate_of(fixture("rsa"));
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  REQUIRE(certificate);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  REQUIRE(EVP_DigestVerifyInit(context.get(), &options, EVP_sha256(), nullptr,
                               X509_get0_pubkey(certificate.get())) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32) == 1);  // exactly that, not "any"
  REQUIRE(EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha256()) == 1);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                          bytes.size()) == 1;
}

}  // namespace

TEST_CASE("key and certificate are found in any order and among others") {
  const std::string rsa = fixture("rsa");
  const std::string other = fixture("other_certificate");
  struct {
    std::string what;
    net::PemFile file;
  } const rows[] = {
      {"key first", pem(rsa)},
      {"certificate first", pem(certificate_of(rsa) + key_of(rsa))},
      {"a chain behind", pem(rsa + other)},
      {"a chain before", pem(other + rsa)},
      {"a comment between", pem(key_of(rsa) + "Bag Attributes\n  x: y\n" + certificate_of(rsa))},
      {"a password nobody needs", pem(rsa, "x")},
      {"encrypted, PKCS#8", pem(fixture("encrypted"), kPassword)},
      {"encrypted, as OpenSSL did once", pem(fixture("encrypted_traditional"), kPassword)},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const net::Certificate certificate = net::read_certificate(row.file);
    // openssl x509 -fingerprint -sha256
    CHECK(hex(certificate.sha256) ==
          "F33E0399FA177212AC1082CEE04C0C0C7B6C2220088D14097AE246CC6A437219");
    CHECK(certificate.key);
  }
}

TEST_CASE("what makes no certificate to sign with is named, with what to do") {
  const std::string rsa = fixture("rsa");
  const std::string who = "78 the certificate in x.pem ";
  struct {
    std::string what;
    net::PemFile file;
    std::string failure;
  } const rows[] = {
      {"nothing", pem(""), "is no PEM text; "},
      {"a PFX", pem(std::string("\x30\x82\x0A\x00\x02\x01\x03", 7)),
       "is no PEM text; make one of a PKCS#12 file: openssl pkcs12 -in FILE.pfx -out FILE.pem "
       "-nodes"},
      {"no key", pem(certificate_of(rsa)), "has no private key; "},
      {"no certificate", pem(key_of(rsa)), "has no certificate; "},
      {"another's certificate", pem(key_of(rsa) + fixture("other_certificate")),
       "has a key and a certificate that do not belong together"},
      {"a certificate of another kind", pem(key_of(rsa) + certificate_of(fixture("ec"))),
       "has a key and a certificate that do not belong together"},
      {"EC", pem(fixture("ec")), "has a key that is not RSA; "},
      {"no password", pem(fixture("encrypted")),
       "has an encrypted key; give its password by --password (PASSWORD)"},
      {"no password, traditional", pem(fixture("encrypted_traditional")),
       "has an encrypted key; give its password by --password (PASSWORD)"},
      {"wrong password", pem(fixture("encrypted"), "guess"),
       "has a key that this password does not open; check --password (PASSWORD)"},
      {"wrong password, traditional", pem(fixture("encrypted_traditional"), "guess"),
       "has a key that this password does not open; check --password (PASSWORD)"},
      {"endless password", pem(fixture("encrypted"), std::string(5'000, 'x')),
       "has a key that this password does not open; "},
      {"half a key", pem(key_of(rsa).substr(0, 200) + "\n-----END PRIVATE KEY-----\n"),
       "has a private key that can't be read; "},
      {"a key cut off", pem(key_of(rsa).substr(0, 200)), "has a private key that can't be read; "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const std::string text = failure(row.file);
    CHECK_MESSAGE(text.starts_with(who + row.failure), text);
    CHECK(text.find("guess") == std::string::npos);
    CHECK(text.find("MII") == std::string::npos);
  }
}

TEST_CASE("a signature is PS256's, with a salt of 32 bytes") {
  const net::Certificate certificate = net::read_certificate(pem(fixture("rsa")));
  const std::string signature = net::sign_ps256(certificate, "header.claims");
  CHECK(signature.size() == 256);
  CHECK(verifies(signature, "header.claims"));
  CHECK(!verifies(signature, "header.claimS"));
  CHECK(net::sign_ps256(certificate, "header.claims") != signature);  // the salt
}
