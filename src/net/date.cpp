#include "net/date.hpp"

#include <curl/curl.h>

namespace net {

std::optional<int64_t> date_unix_s(const std::string& date) {
  const time_t unix_s = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
  if (unix_s == -1) return std::nullopt;
  return int64_t{unix_s};
}

}  // namespace net
