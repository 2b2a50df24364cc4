#include "eventstore/rpc.hpp"

#include <fmt/format.h>

#include "net/http.hpp"

namespace eventstore {

namespace {

// Status codes of gRPC.
enum Code : int {
  ok = 0,
  invalid_argument = 3,
  not_found = 5,
  permission_denied = 7,
  failed_precondition = 9,
  unimplemented = 12,
  unauthenticated = 16,
};

bool is_of_request(const GrpcStatus& status) {
  if (status.exception == "not-leader") return false;
  if (status.exception == "maximum-subscribers-reached")
    return false;  // a lost one may still count
  switch (status.code) {
    case invalid_argument:
    case not_found:
    case permission_denied:
    case failed_precondition:
    case unimplemented:
    case unauthenticated:
      return true;
    default:
      return false;
  }
}

base::ExitCode exit_code(const GrpcStatus& status) {
  if (status.code == permission_denied || status.code == unauthenticated) return base::exit_refused;
  if (status.exception == "access-denied") return base::exit_refused;
  if (status.exception == "stream-deleted") return base::exit_missing_input;
  if (status.exception == "persistent-subscription-does-not-exist") return base::exit_missing_input;
  return is_of_request(status) ? base::exit_malformed_reply : base::exit_retries_spent;
}

std::string words(const GrpcStatus& status) {
  if (exit_code(status) == base::exit_refused) {
    const bool is_known = status.code != unauthenticated;
    return fmt::format("the server refuses: {}; {}", status.message,
                       is_known ? "the user may not read this"
                                : "check the user and password in the connection string");
  }
  return fmt::format("the server says {}: {}", grpc_code_name(status.code), status.message);
}

}  // namespace

RpcError::RpcError(GrpcStatus ended)
    : Error(exit_code(ended), words(ended)), status(std::move(ended)) {}

bool may_pass(const base::Error& error) {
  if (const auto* ended = dynamic_cast<const RpcError*>(&error)) {
    return !is_of_request(ended->status) && ended->code() == base::exit_retries_spent;
  }
  return error.code() == base::exit_unavailable || error.code() == base::exit_retries_spent ||
         error.code() == base::exit_malformed_reply;
}

// A reply that is no gRPC has no messages either.
void Rpc::check_headers() const {
  const net::Headers headers = call_->headers();
  const bool is_grpc = net::header(headers, ":status") == "200" &&
                       net::header(headers, "content-type").starts_with("application/grpc");
  if (!is_grpc) throw RpcError(grpc_status(headers, {}));
}

net::Http2Came Rpc::next(std::string_view& message, int64_t wait_ms) {
  while (!messages_.next(message)) {
    const net::Http2Came came = call_->read(messages_.buffer(), wait_ms);
    if (came == net::Http2Came::nothing) return came;
    if (!is_checked_ && came == net::Http2Came::data) {
      check_headers();
      is_checked_ = true;
    }
    if (came == net::Http2Came::data) continue;
    GrpcStatus status = grpc_status(call_->headers(), call_->trailers());
    if (status.code != ok) throw RpcError(std::move(status));
    if (!messages_.is_between()) {
      throw base::Error(base::exit_malformed_reply, "the server's reply ends within a message");
    }
    return came;
  }
  return net::Http2Came::data;
}

}  // namespace eventstore
