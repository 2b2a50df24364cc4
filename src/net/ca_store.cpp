#include "net/ca_store.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "net/http.hpp"

namespace net {

namespace {

using Time = std::chrono::steady_clock;
constexpr auto kGoodFor = std::chrono::hours(24);

struct Kept {
  std::shared_ptr<X509_STORE> store;
  Time::time_point read_at;
};

std::shared_ptr<X509_STORE> read_store(const CaLocation& location) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  if (store == nullptr) throw base::Error(base::exit_our_bug, "OpenSSL gives no store");
  X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  const std::string& file = location.file;
  const std::string& directory = location.directory;
  const bool is_read =
      (file.empty() || X509_STORE_load_file(store.get(), file.c_str()) == 1) &&
      (directory.empty() || X509_STORE_load_path(store.get(), directory.c_str()) == 1);
  if (is_read) return store;
  throw HttpError(base::exit_configuration,
                  fmt::format("{} holds no CA certificates; set SSL_CERT_FILE to a PEM bundle",
                              file.empty() ? directory : file),
                  false);
}

}  // namespace

std::shared_ptr<X509_STORE> ca_store(const CaLocation& location) {
  // What threads share; NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
  static std::mutex mutex;
  static std::map<std::pair<std::string, std::string>, Kept> all;
  const std::lock_guard lock(mutex);
  Kept& kept = all[{location.file, location.directory}];
  if (kept.store == nullptr || Time::now() - kept.read_at > kGoodFor) {
    kept = {read_store(location), Time::now()};
  }
  return kept.store;
}

}  // namespace net
