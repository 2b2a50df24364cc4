// The other side of the event store's calls as tests script it: no sockets, and simulated time.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "eventstore/channel.hpp"
#include "eventstore/messages.hpp"
#include "eventstore/nodes.hpp"
#include "eventstore/source.hpp"
#include "eventstore_wire.hpp"

namespace eventstore_server {

using eventstore::Came;
using eventstore::Place;

// --- How a call goes ---

struct Reply {
  std::string bytes;                      // of the body
  std::optional<base::Error> error = {};  // behind them
  bool stays = false;                     // or: nothing more comes until the client finishes
  bool ignores_finish = false;            // nor then
  net::Headers trailers = {{"grpc-status", "0"}};
  net::Headers headers = {{":status", "200"}, {"content-type", "application/grpc"}};
  size_t piece = 0;       // so many bytes come at once; 0: all
  int64_t lasted_ms = 0;  // passes before the end or the error
};

inline Reply open_reply(std::string bytes) {
  Reply reply{std::move(bytes)};
  reply.stays = true;
  return reply;
}

inline Reply broken(std::string bytes = "", base::ExitCode code = base::exit_retries_spent) {
  Reply reply{std::move(bytes)};
  reply.error = base::Error(code, "it broke");
  return reply;
}

inline Reply status(int code, const std::string& exception = "", std::string bytes = "") {
  Reply reply{std::move(bytes)};
  reply.trailers = {{"grpc-status", std::to_string(code)}, {"grpc-message", "so it is"}};
  if (!exception.empty()) reply.trailers.emplace_back("exception", exception);
  return reply;
}

struct Time {
  int64_t now_ms = 1'000'000;
  base::Clock clock() {
    return {[this] { return now_ms; }, [this] { return now_ms / 1000; },
            [this](int64_t ms) { now_ms += std::max<int64_t>(ms, 0); }};
  }
};

// Of one call.
struct Sent {
  std::vector<std::string> answers;
  bool is_finished = false;
  bool is_gone = false;
};

class Call : public net::Http2Call {
 public:
  Call(Time& time, Reply reply, std::shared_ptr<Sent> sent)
      : time_(time), reply_(std::move(reply)), sent_(std::move(sent)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() override { sent_->is_gone = true; }

  net::Http2Came read(std::string& to, int64_t wait_ms) override {
    if (at_ < reply_.bytes.size()) {
      const size_t count = reply_.piece == 0 ? reply_.bytes.size() - at_
                                             : std::min(reply_.piece, reply_.bytes.size() - at_);
      to.append(reply_.bytes, at_, count);
      at_ += count;
      return net::Http2Came::data;
    }
    if (reply_.stays && (!sent_->is_finished || reply_.ignores_finish)) {
      time_.now_ms += wait_ms;
      return net::Http2Came::nothing;
    }
    time_.now_ms += reply_.lasted_ms;
    reply_.lasted_ms = 0;
    if (reply_.error) throw base::Error(*reply_.error);
    return net::Http2Came::end;
  }
  void write(std::string_view bytes) override {
    sent_->answers.push_back(text_of_answer(std::string(bytes.substr(5))));
  }
  void finish() override { sent_->is_finished = true; }
  net::Headers headers() const override { return reply_.headers; }
  net::Headers trailers() const override { return reply_.trailers; }

 private:
  Time& time_;
  Reply reply_;
  size_t at_ = 0;
  std::shared_ptr<Sent> sent_;
};

// A connection string's server, or cluster. Replies come from `serve`, or in the order of
// `replies`; a call that nobody expects is an exception that nothing catches.
class Server {
 public:
  explicit Server(const std::string& url = "esdb://one:2113?tls=false")
      : nodes(
            eventstore::parse_connection_string(url, "--url"),
            [this](const eventstore::Endpoint& endpoint, int64_t /*most_ms*/) {
              return connect(endpoint);
            },
            time.clock(), [](size_t) { return size_t{0}; }) {}

  eventstore::ChannelOptions options() {
    return {time.clock(), [this] { return random; },
            [this](const std::string& text) { notices.push_back(text); }, max_downtime_ms};
  }

  Time time;
  double random = 0;
  std::optional<int64_t> max_downtime_ms;
  std::deque<Reply> replies;
  std::function<Reply(const std::string& asked)> serve;
  std::function<void(const std::string& endpoint)> on_connect;

  std::vector<std::string> asked;        // a line a call
  std::vector<int64_t> asked_ms;         // when
  std::vector<net::Headers> headers;     // with it
  std::vector<std::string> connections;  // "host:port"
  std::vector<std::string> notices;
  std::vector<std::shared_ptr<Sent>> sent;
  eventstore::Nodes nodes;

 private:
  eventstore::Calls connect(const eventstore::Endpoint& endpoint) {
    connections.push_back(eventstore::name_of(endpoint));
    if (on_connect) on_connect(connections.back());
    return [this](const std::string& path, const net::Headers& with, std::string_view body,
                  bool is_whole) { return call(path, with, std::string(body), is_whole); };
  }

  std::unique_ptr<net::Http2Call> call(const std::string& path, const net::Headers& with,
                                       const std::string& body, bool is_whole) {
    std::string text = path == eventstore::kReadPath ? text_of_read(body.substr(5)) : "gossip";
    if (path == eventstore::kPersistentReadPath) text = is_whole ? "join?" : "join";
    asked.push_back(text);
    asked_ms.push_back(time.now_ms);
    headers.push_back(with);
    sent.push_back(std::make_shared<Sent>());
    if (serve) return std::make_unique<Call>(time, serve(text), sent.back());
    if (replies.empty()) throw std::logic_error("nobody expects the call " + text);
    Reply reply = std::move(replies.front());
    replies.pop_front();
    return std::make_unique<Call>(time, std::move(reply), sent.back());
  }
};

// --- What comes out ---

inline std::string text_of(const Place& place) {
  if (place.kind == Place::Kind::start) return "start";
  if (place.kind == Place::Kind::end) return "end";
  if (place.position.commit == eventstore::kNoPosition) return std::to_string(place.revision);
  return fmt::format("{}/{}", place.position.commit, place.position.prepare);
}

inline std::string name_of(Came came, const Event& event) {
  switch (came) {
    case Came::event:
      return std::to_string(event.original_revision());
    case Came::advanced:
      return "advanced";
    case Came::caught_up:
      return "caught up";
    case Came::nothing:
      return "-";
    case Came::end:
      return "end";
  }
  return "?";
}

// "0 1 caught up end": up to the end, an error ("66 the words") or so many, without "nothing" over
// which time passes.
inline std::string drain(eventstore::Source& source, size_t most, int64_t wait_ms = 100) {
  std::vector<std::string> came;
  Event event;
  int idle = 0;
  try {
    while (came.size() < most && idle < 1'000) {
      came.push_back(name_of(source.next(event, wait_ms), event));
      const bool is_end = came.back() == "end";
      idle = came.back() == "-" ? idle + 1 : 0;
      if (came.back() == "-") came.pop_back();
      if (is_end) break;
    }
  } catch (const base::Error& error) {
    came.push_back(fmt::format("{} {}", static_cast<int>(error.code()), error.what()));
  }
  return fmt::format("{}", fmt::join(came, " "));
}

}  // namespace eventstore_server
