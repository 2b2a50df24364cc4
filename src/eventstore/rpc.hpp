// A gRPC call: whole messages one way and the other, and how it ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "eventstore/grpc.hpp"
#include "net/http2.hpp"

namespace eventstore {

// The server ended the call with a status other than OK. 77 for no or wrong credentials and missing
// rights, 66 for a stream that was deleted for good or a group that is not there, 75 for what may
// go better next time, 76 for all else.
class RpcError : public base::Error {
 public:
  explicit RpcError(GrpcStatus ended);

  GrpcStatus status;
};

// Whether the same call may go better later: what broke on the way, and what the server says of
// itself, not of the request.
bool may_pass(const base::Error& error);

class Rpc {
 public:
  explicit Rpc(std::unique_ptr<net::Http2Call> call) : call_(std::move(call)) {}

  // data: a message, whose bytes stand until the next call. end: the server ended it well. Throws
  // RpcError, 76 for what is no gRPC, and what net::Http2Call throws.
  net::Http2Came next(std::string_view& message, int64_t wait_ms);

  // Nothing more is sent.
  void finish() { call_->finish(); }

  void send(std::string_view message) { call_->write(grpc_frame(message)); }

 private:
  void check_headers() const;

  std::unique_ptr<net::Http2Call> call_;
  GrpcMessages messages_;
  bool is_checked_ = false;  // the reply's headers are those of gRPC
};

}  // namespace eventstore
