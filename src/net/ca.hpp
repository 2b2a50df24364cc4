// Where this machine keeps the certificates of the authorities it trusts.
#pragma once

#include <functional>
#include <string>

#include "base/env.hpp"

namespace net {

struct CaLocation {
  std::string file;       // a PEM bundle; "" when there is none
  std::string directory;  // of certificates named by hash; "" when there is none
};

// True when that file or directory can be read.
using Exists = std::function<bool(const std::string& path)>;

// SSL_CERT_FILE and SSL_CERT_DIR when set (as OpenSSL reads them), else the first bundle found in
// the usual places of Debian, Alpine, Fedora and SUSE. Both empty: none found. Throws 78 when a
// variable names something that can't be read.
CaLocation find_ca(const base::Env& env, const Exists& exists);

bool path_exists(const std::string& path);

}  // namespace net
