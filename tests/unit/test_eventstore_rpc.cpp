#include "eventstore/rpc.hpp"

#include "eventstore_server.hpp"

using eventstore::Rpc;
using eventstore::RpcError;
using namespace eventstore_server;

namespace {

// "0 1 end", "0 75! words": "!" where it may pass.
std::string read_all(const Reply& reply) {
  Time time;
  Rpc rpc(std::make_unique<Call>(time, reply, std::make_shared<Sent>()));
  std::string text;
  try {
    while (true) {
      std::string_view message;
      const net::Http2Came came = rpc.next(message, 10);
      if (came == net::Http2Came::end) return text + "end";
      text += came == net::Http2Came::nothing ? "nothing " : std::string(message) + " ";
      if (came == net::Http2Came::nothing) return text;
    }
  } catch (const base::Error& error) {
    return fmt::format("{}{}{} {}", text, static_cast<int>(error.code()),
                       eventstore::may_pass(error) ? "!" : "", error.what());
  }
}

Reply reply_of(const std::string& bytes, net::Headers trailers, net::Headers headers) {
  Reply reply{bytes};
  reply.trailers = std::move(trailers);
  reply.headers = std::move(headers);
  return reply;
}

}  // namespace

TEST_CASE("messages come whole, wherever their bytes are cut") {
  const std::string bytes = framed("one") + framed("") + framed(std::string(300, 'x'));
  const std::string whole = read_all({bytes});
  CHECK(whole == "one  " + std::string(300, 'x') + " end");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    Reply reply{bytes};
    reply.piece = piece;
    REQUIRE(read_all(reply) == whole);
  }
}

TEST_CASE("a reply that ends within a message is told, at each byte") {
  const std::string last = framed("second");
  for (size_t cut = 1; cut < last.size(); ++cut) {
    const std::string told = read_all({framed("first") + last.substr(0, cut)});
    REQUIRE(told == "first 76! the server's reply ends within a message");
  }
}

TEST_CASE("what a server's status means for the exit code, and for another attempt") {
  struct {
    int code;
    std::string exception;
    std::string outcome;
  } const rows[] = {
      {1, "", "75! the server says CANCELLED: so it is"},
      {2, "", "75! the server says UNKNOWN: so it is"},
      {3, "", "76 the server says INVALID_ARGUMENT: so it is"},
      {4, "", "75! the server says DEADLINE_EXCEEDED: so it is"},
      {5, "", "76 the server says NOT_FOUND: so it is"},
      {5, "not-leader", "75! the server says NOT_FOUND: so it is"},
      {5, "persistent-subscription-does-not-exist", "66 the server says NOT_FOUND: so it is"},
      {7, "", "77 the server refuses: so it is; the user may not read this"},
      {7, "access-denied", "77 the server refuses: so it is; the user may not read this"},
      {8, "", "75! the server says RESOURCE_EXHAUSTED: so it is"},
      {9, "", "76 the server says FAILED_PRECONDITION: so it is"},
      {9, "stream-deleted", "66 the server says FAILED_PRECONDITION: so it is"},
      {9, "maximum-subscribers-reached", "75! the server says FAILED_PRECONDITION: so it is"},
      {1, "persistent-subscription-dropped", "75! the server says CANCELLED: so it is"},
      {10, "", "75! the server says ABORTED: so it is"},
      {12, "", "76 the server says UNIMPLEMENTED: so it is"},
      {13, "persistent-subscription-failed", "75! the server says INTERNAL: so it is"},
      {14, "", "75! the server says UNAVAILABLE: so it is"},
      {16, "",
       "77 the server refuses: so it is; check the user and password in the connection string"},
      {99, "", "75! the server says a code that gRPC does not know: so it is"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.exception);
    CHECK(read_all(status(row.code, row.exception)) == row.outcome);
    CHECK(read_all(status(row.code, row.exception, framed("m"))) == "m " + row.outcome);
    const Reply trailers_only = status(row.code, row.exception);
    net::Headers headers = trailers_only.trailers;
    headers.emplace_back(":status", "200");
    headers.emplace_back("content-type", "application/grpc+proto");
    CHECK(read_all(reply_of("", {}, headers)) == row.outcome);
  }
}

TEST_CASE("what is no gRPC is told, whether it has a body or none") {
  const net::Headers ok = {{"grpc-status", "0"}};
  struct {
    std::string status;
    std::string type;
    std::string begin;
  } const rows[] = {
      {"401", "application/grpc", "77 the server refuses: the answer is HTTP status 401"},
      {"403", "", "77 the server refuses: the answer is HTTP status 403"},
      {"404", "text/html", "76 the server says UNIMPLEMENTED: the answer is HTTP status 404"},
      {"503", "text/html", "75! the server says UNAVAILABLE: the answer is HTTP status 503"},
      {"200", "text/html", "75! the server says UNKNOWN: the answer is of the type \"text/html\""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    const net::Headers headers = {{":status", row.status}, {"content-type", row.type}};
    CHECK(read_all(reply_of("", {}, headers)).starts_with(row.begin));
    CHECK(read_all(reply_of("<html>", {}, headers)).starts_with(row.begin));
  }
  const net::Headers grpc = {{":status", "200"}, {"content-type", "application/grpc"}};
  CHECK(read_all(reply_of(framed("m"), {}, grpc)) ==
        "m 75! the server says UNKNOWN: the reply broke off: it ended without a gRPC status");
  CHECK(read_all(reply_of(framed("m"), ok,
                          {{":status", "200"}, {"content-type", "application/grpc+proto"}})) ==
        "m end");
}

TEST_CASE("a compressed message is refused with the remedy") {
  std::string bytes = framed("m");
  bytes[0] = 1;
  const std::string told = read_all({bytes});
  CHECK(told.starts_with("76"));
  CHECK(told.find("switch it off in the proxy between") != std::string::npos);
}

TEST_CASE("what came before a break is given first; nothing while nothing comes") {
  CHECK(read_all(broken(framed("a") + framed("b"))) == "a b 75! it broke");
  CHECK(read_all(open_reply(framed("a") + "\0\0")) == "a nothing ");
}
