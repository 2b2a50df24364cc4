// Requests out of libmicrohttpd's hands and responses into them. Part of net/server.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <memory>

#include "net/server.hpp"

namespace net {

struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

using BuiltResponse = std::unique_ptr<MHD_Response, DestroyResponse>;

// A request's headers, names in lower case, values as they were sent.
Headers headers_of(MHD_Connection* connection);

// The status a request gets for what its headers say of its body; 0 when it may come.
int refusal(const Headers& headers, size_t most_body_bytes);

// Nothing when HTTP has no such response, or memory is out. The body is not copied.
BuiltResponse build(ServerResponse& response);

// Once libmicrohttpd reads a body it sends no reply before the body's end; so this goes past it.
void send_refusal(int fd, int status);

// Reads what a refused client goes on sending. False when it has closed its side.
bool discard_input(int fd);

}  // namespace net
