#include "net/hide.hpp"

#include "base/text.hpp"

namespace net {

namespace {

constexpr size_t kShortestSecret = 8;

}  // namespace

void hide(HttpResponse& reply, const std::string& secret) {
  if (secret.size() < kShortestSecret || reply.body.find(secret) == std::string::npos) return;
  reply.body = base::replace_all(reply.body, secret, "***");
}

}  // namespace net
