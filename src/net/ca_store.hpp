// The certificates of the authorities that are trusted, read once and shared by all connections: a
// bundle takes longer to read than a connection to make.
// Internal to src/net: it speaks OpenSSL's types.
#pragma once

#include <openssl/x509_vfy.h>

#include <memory>

#include "net/ca.hpp"

namespace net {

// As curl sets it up: a trusted certificate in the middle of a chain is enough. Read anew after a
// day. Empty for an empty location. Throws 78 for a file that holds no certificates.
std::shared_ptr<X509_STORE> ca_store(const CaLocation& location);

}  // namespace net
