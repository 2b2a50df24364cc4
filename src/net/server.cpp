#include "net/server.hpp"

#include <microhttpd.h>

#include <utility>

#include "net/server_loop.hpp"

namespace net {

std::string header(const ServerRequest& request, const std::string& name) {
  return header(request.headers, name);
}

ServerResponse text_response(int status, const std::string& text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, text};
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
