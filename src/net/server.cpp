#include "net/server.hpp"

#include <microhttpd.h>

#include <utility>

#include "net/server_loop.hpp"

namespace net {

std::string header(const ServerRequest& request, const std::string& name) {
  for (const auto& [header_name, value] : request.headers) {
    if (header_name == name) return value;
  }
  return "";
}

Server::Server(const ServerOptions& options, Handle handle)
    : loop_(std::make_unique<ServerLoop>(options, std::move(handle))) {}

Server::~Server() = default;

uint16_t Server::port() const {
  return loop_->port();
}

bool Server::drain(int64_t wait_ms) {
  return loop_->drain(wait_ms);
}

std::string microhttpd_version() {
  return MHD_get_version();
}

}  // namespace net
