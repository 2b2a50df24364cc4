#include "eventstore/grpc.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace eventstore {

namespace {

constexpr size_t kPrefixBytes = 5;
constexpr size_t kMostBytes = size_t{17} << 20U;
constexpr size_t kLongestWords = 1'000;
constexpr int kUnknown = 2;

constexpr const char* kCodeNames[] = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

size_t length_at(std::string_view prefix) {
  size_t length = 0;
  for (const char byte : prefix.substr(1, 4)) {
    length = (length << 8U) | static_cast<unsigned char>(byte);
  }
  return length;
}

void refuse_wrong(char flag, size_t length) {
  if (flag == 1) {
    throw base::Error(base::exit_malformed_reply,
                      "the event store sent a compressed message, though nothing asked for "
                      "compression; switch it off in the proxy between");
  }
  if (flag != 0) {
    throw base::Error(base::exit_malformed_reply,
                      fmt::format("the event store sent a gRPC message with the flag {}, which "
                                  "must be 0; is something else between?",
                                  static_cast<unsigned char>(flag)));
  }
  if (length > kMostBytes) {
    throw base::Error(base::exit_malformed_reply,
                      fmt::format("the event store sent a message of {} bytes; at most {} are "
                                  "taken, as its events have at most 16 MiB",
                                  length, kMostBytes));
  }
}

// A broken escape stays as it is.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* end = text.data() + i + 3;
    const bool is_byte =
        text[i] == '%' && i + 2 < text.size() && std::from_chars(end - 2, end, byte, 16).ptr == end;
    decoded += is_byte ? static_cast<char>(byte) : text[i];
    if (is_byte) i += 2;
  }
  return decoded;
}

std::string shown(std::string_view text) {
  return base::shorten(base::one_line(text), kLongestWords);
}

int code_of_http(const std::string& status) {
  if (status == "400") return 13;
  if (status == "401") return 16;
  if (status == "403") return 7;
  if (status == "404") return 12;
  if (status == "429" || status == "502" || status == "503" || status == "504") return 14;
  return kUnknown;
}

GrpcStatus status_of_http(const net::Headers& headers) {
  const std::string status = net::header(headers, ":status");
  const std::string type = net::header(headers, "content-type");
  GrpcStatus result;
  result.code = kUnknown;
  if (status != "200") {
    result.code = code_of_http(status);
    result.message = fmt::format(
        "the answer is HTTP status {} and not gRPC; check the address, and what stands between",
        status.empty() ? "none" : shown(status));
  } else if (!type.starts_with("application/grpc")) {
    result.message = fmt::format(
        "the answer is of the type \"{}\" and not gRPC; is this the event store's port?",
        shown(type));
  } else {
    result.message = "the reply broke off: it ended without a gRPC status";
  }
  return result;
}

}  // namespace

std::string grpc_frame(std::string_view message) {
  std::string frame(1, '\0');
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    frame += static_cast<char>((message.size() >> shift) & 0xFFU);
  }
  return frame.append(message);
}

bool GrpcMessages::next(std::string_view& message) {
  const std::string_view left = std::string_view(buffer_).substr(at_);
  size_t wanted = kPrefixBytes;
  if (left.size() >= kPrefixBytes) {
    const size_t length = length_at(left);
    refuse_wrong(left[0], length);
    wanted += length;
    if (left.size() >= wanted) {
      message = left.substr(kPrefixBytes, length);
      at_ += wanted;
      return true;
    }
  }
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.reserve(at_ + wanted);  // a large message is not copied each time that bytes come
  return false;
}

GrpcStatus grpc_status(const net::Headers& headers, const net::Headers& trailers) {
  const auto find = [&](const char* name) {
    std::string value = net::header(trailers, name);
    return value.empty() ? net::header(headers, name) : value;
  };
  const std::string code = find("grpc-status");
  if (code.empty()) return status_of_http(headers);
  GrpcStatus status;
  if (!base::read_number(code, status.code)) {
    status.code = kUnknown;
    status.message = fmt::format("the gRPC status is \"{}\" and no number", shown(code));
    return status;
  }
  status.message = shown(percent_decoded(find("grpc-message")));
  status.exception = shown(find("exception"));
  status.leader_host = shown(find("leader-endpoint-host"));
  base::read_number(find("leader-endpoint-port"), status.leader_port);
  return status;
}

const char* grpc_code_name(int code) {
  const bool is_known = code >= 0 && static_cast<size_t>(code) < std::size(kCodeNames);
  return is_known ? kCodeNames[code] : "a code that gRPC does not know";
}

}  // namespace eventstore
