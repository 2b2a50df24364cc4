// gRPC over HTTP/2: messages in frames, and how a call ended (grpc's PROTOCOL-HTTP2.md and
// http-grpc-status-mapping.md). Compression is never asked for and refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace eventstore {

// The message behind its five bytes: a flag, and the length.
std::string grpc_frame(std::string_view message);

// The other way round, from bytes that are cut anywhere.
class GrpcMessages {
 public:
  // To be appended to.
  std::string& buffer() { return buffer_; }
  // The next whole message; false when more bytes are wanted. It is valid until the buffer is
  // appended to, or next() is called. Throws 76 for a compressed message and for one of more than
  // 17 MiB.
  bool next(std::string_view& message);
  // No part of a message is left: a good place for an end.
  bool is_between() const { return at_ == buffer_.size(); }

 private:
  std::string buffer_;
  size_t at_ = 0;  // up to here all is given
};

struct GrpcStatus {
  int code = 0;
  std::string message;      // one line that is safe to show
  std::string exception;    // the event store's own word: "not-leader", "stream-deleted"; or ""
  std::string leader_host;  // with "not-leader"
  uint16_t leader_port = 0;
};

// How a call ended, also when the reply has nothing but headers. Without a gRPC status it is made
// of the HTTP status, and 2 (UNKNOWN) when that is no help: the other side is no gRPC server, or
// the reply broke off.
GrpcStatus grpc_status(const net::Headers& headers, const net::Headers& trailers);

// "UNAVAILABLE" for 14.
const char* grpc_code_name(int code);

}  // namespace eventstore
