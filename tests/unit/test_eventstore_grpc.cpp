#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "eventstore/grpc.hpp"

namespace {

using eventstore::grpc_frame;
using eventstore::grpc_status;
using eventstore::GrpcMessages;
using eventstore::GrpcStatus;
using net::Headers;

const Headers kFine = {{":status", "200"}, {"content-type", "application/grpc+proto"}};

// All that comes of the bytes when they come `step` at a time.
std::vector<std::string> cut(const std::string& bytes, size_t step) {
  GrpcMessages messages;
  std::vector<std::string> all;
  for (size_t at = 0; at < bytes.size(); at += step) {
    messages.buffer() += bytes.substr(at, step);
    std::string_view message;
    while (messages.next(message)) all.emplace_back(message);
  }
  CHECK(messages.is_between());
  return all;
}

std::string refusal(const std::string& bytes) {
  GrpcMessages messages;
  messages.buffer() = bytes;
  std::string_view message;
  try {
    messages.next(message);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_malformed_reply);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a frame is a flag, the length and the message") {
  CHECK(grpc_frame("") == std::string(5, '\0'));
  CHECK(grpc_frame("abc") == std::string("\0\0\0\0\3abc", 8));
  CHECK(grpc_frame(std::string(0x010203, 'x')).substr(0, 6) == std::string("\0\0\1\2\3x", 6));
}

TEST_CASE("messages come whole, wherever their bytes are cut") {
  const std::vector<std::string> sent = {
      "", "a", std::string(300, 'b'), "", std::string("\0\1\2", 3), std::string(5, '\0')};
  std::string bytes;
  for (const std::string& message : sent) bytes += grpc_frame(message);
  for (size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    CHECK(cut(bytes, step) == sent);
  }
}

TEST_CASE("an end inside of a message can be told from one between messages") {
  const std::string frame = grpc_frame("abc");
  for (size_t length = 0; length <= frame.size(); ++length) {
    CAPTURE(length);
    GrpcMessages messages;
    messages.buffer() = frame.substr(0, length);
    std::string_view message;
    while (messages.next(message)) CHECK(message == "abc");
    CHECK(messages.is_between() == (length == 0 || length == frame.size()));
  }
}

TEST_CASE("the buffer does not grow with what was given") {
  GrpcMessages messages;
  const std::string frame = grpc_frame(std::string(1'000, 'x'));
  std::string_view message;
  for (int i = 0; i < 1'000; ++i) {
    messages.buffer() += frame + frame.substr(0, 500);
    CHECK(messages.next(message));
    CHECK(!messages.next(message));
    messages.buffer() += frame.substr(500);
    CHECK(messages.next(message));
    CHECK(messages.buffer().size() < 4'000);
  }
}

TEST_CASE("compressed, wrong and too large messages are refused") {
  CHECK(refusal(std::string("\1\0\0\0\0", 5)).find("compress") != std::string::npos);
  CHECK(refusal(std::string("\2\0\0\0\0", 5)).find("flag 2") != std::string::npos);
  CHECK(refusal("HTTP/1.1 400 Bad Request").find("flag 72") != std::string::npos);
  CHECK(refusal(std::string("\0\xFF\xFF\xFF\xFF", 5)).find("4294967295") != std::string::npos);
  CHECK(refusal(std::string("\0\1\x10\0\1", 5)).find("17825793") != std::string::npos);
  CHECK(refusal(std::string("\0\1\x10\0\0", 5)) == "");
}

TEST_CASE("how a call ended, with and without a gRPC status") {
  struct {
    std::string what;
    Headers headers;
    Headers trailers;
    int code;
    std::string words;  // that the message has
  } const rows[] = {
      {"well", kFine, {{"grpc-status", "0"}}, 0, ""},
      {"trailers", kFine, {{"grpc-status", "7"}, {"grpc-message", "no%20way"}}, 7, "no way"},
      {"headers only",
       {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "14"}},
       {},
       14,
       ""},
      {"a status counts whatever HTTP says",
       {{":status", "503"}},
       {{"grpc-status", "5"}, {"grpc-message", "x"}},
       5,
       "x"},
      {"400", {{":status", "400"}}, {}, 13, "400"},
      {"401", {{":status", "401"}}, {}, 16, "401"},
      {"403", {{":status", "403"}}, {}, 7, "403"},
      {"404", {{":status", "404"}}, {}, 12, "404"},
      {"429", {{":status", "429"}}, {}, 14, "429"},
      {"502", {{":status", "502"}}, {}, 14, "502"},
      {"503", {{":status", "503"}}, {}, 14, "503"},
      {"504", {{":status", "504"}}, {}, 14, "504"},
      {"500", {{":status", "500"}}, {}, 2, "500"},
      {"nothing at all", {}, {}, 2, "none"},
      {"a web page", {{":status", "200"}, {"content-type", "text/html"}}, {}, 2, "text/html"},
      {"no status", kFine, {}, 2, "broke off"},
      {"a status of words", kFine, {{"grpc-status", "fine"}}, 2, "fine"},
      {"a status that gRPC lacks", kFine, {{"grpc-status", "99"}}, 99, ""},
      {"broken escapes stay",
       kFine,
       {{"grpc-status", "2"}, {"grpc-message", "5%, %4, %zz%"}},
       2,
       "5%, %4, %zz%"},
      {"no UTF-8, no line breaks",
       kFine,
       {{"grpc-status", "2"}, {"grpc-message", "a%FFb%0Ac%1B[1m%C3%A4"}},
       2,
       "a\xEF\xBF\xBD"
       "b c[1m\xC3\xA4"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const GrpcStatus status = grpc_status(row.headers, row.trailers);
    CHECK(status.code == row.code);
    CAPTURE(status.message);
    CHECK(status.message.find(row.words) != std::string::npos);
  }
}

TEST_CASE("the event store's own words about an error") {
  const GrpcStatus status = grpc_status(kFine, {{"grpc-status", "5"},
                                                {"exception", "not-leader"},
                                                {"leader-endpoint-host", "db2"},
                                                {"leader-endpoint-port", "2113"}});
  CHECK(status.exception == "not-leader");
  CHECK(status.leader_host == "db2");
  CHECK(status.leader_port == 2113);
  CHECK(grpc_status(kFine, {{"grpc-status", "5"}, {"leader-endpoint-port", "70000"}}).leader_port ==
        0);
}

TEST_CASE("codes have names") {
  CHECK(std::string(eventstore::grpc_code_name(0)) == "OK");
  CHECK(std::string(eventstore::grpc_code_name(14)) == "UNAVAILABLE");
  CHECK(std::string(eventstore::grpc_code_name(16)) == "UNAUTHENTICATED");
  for (const int code : {-1, 17}) {
    CHECK(std::string(eventstore::grpc_code_name(code)).find("not know") != std::string::npos);
  }
}
