#include "net/http.hpp"

namespace net {

std::string header(const HttpResponse& response, const std::string& name) {
  for (const auto& [header_name, value] : response.headers) {
    if (header_name == name) return value;
  }
  return "";
}

}  // namespace net
