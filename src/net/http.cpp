#include "net/http.hpp"

#include <algorithm>

namespace net {

BodyStream body_of(const std::string& text) {
  return {static_cast<int64_t>(text.size()), [text](int64_t offset, char* to, size_t most) {
            const size_t bytes = std::min(most, text.size() - static_cast<size_t>(offset));
            std::copy_n(text.data() + offset, bytes, to);
            return bytes;
          }};
}

std::string header(const Headers& headers, const std::string& name) {
  for (const auto& [header_name, value] : headers) {
    if (header_name == name) return value;
  }
  return "";
}

std::string header(const HttpResponse& response, const std::string& name) {
  return header(response.headers, name);
}

}  // namespace net
