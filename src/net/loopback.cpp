#include "net/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>

#include "base/text.hpp"
#include "net/url.hpp"

namespace net {

bool is_loopback(std::string_view host) {
  std::string name = base::lower_ascii(host);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  in6_addr six = {};
  if (::inet_pton(AF_INET6, name.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
  in_addr four = {};
  return name.starts_with("127.") && ::inet_pton(AF_INET, name.c_str(), &four) == 1;
}

bool is_in_clear(std::string_view url) {
  constexpr std::string_view kHttp = "http://";
  const std::string place = origin(url);
  if (!place.starts_with(kHttp)) return false;
  const std::string authority = place.substr(kHttp.size());
  const size_t port = authority.find(':', authority.rfind(']') + 1);  // npos + 1 == 0
  return !is_loopback(authority.substr(0, port));
}

}  // namespace net
