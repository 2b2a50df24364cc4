#include "net/ca.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace net {

namespace {

constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, newer RHEL
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/var/lib/ca-certificates/ca-bundle.pem",             // newer SUSE
    "/etc/ssl/cert.pem",                                  // Alpine without the bundle
};

// OpenSSL takes a list of directories, divided by colons; one that can be read is enough.
std::string named_by(const char* variable, const base::Env& env, const Exists& exists) {
  std::string paths = env(variable);
  if (paths.empty()) return paths;
  for (const std::string& path : base::split(paths, ':')) {
    if (exists(path)) return paths;
  }
  throw base::Error(base::exit_configuration,
                    fmt::format("{} names {}, which can't be read", variable, paths));
}

}  // namespace

CaLocation find_ca(const base::Env& env, const Exists& exists) {
  CaLocation named{named_by("SSL_CERT_FILE", env, exists), named_by("SSL_CERT_DIR", env, exists)};
  if (!named.file.empty() || !named.directory.empty()) return named;
  for (const char* bundle : kBundles) {
    if (exists(bundle)) return {bundle, ""};
  }
  return {};
}

bool path_exists(const std::string& path) {
  return ::access(path.c_str(), R_OK) == 0;
}

}  // namespace net
