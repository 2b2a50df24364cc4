// A gRPC call that comes again: opened, lost, opened anew where it stood, until it is given up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "eventstore/nodes.hpp"
#include "eventstore/rpc.hpp"

namespace eventstore {

struct ChannelOptions {
  base::Clock clock;
  std::function<double()> random;                          // from 0 to 1
  std::function<void(const std::string& text)> on_notice;  // lost, and there again
  // After so long without the server it is given up; without a limit never once it was reached, and
  // before that after the connection string's maxDiscoverAttempts; so is a server whose replies are
  // malformed so often without one that works.
  std::optional<int64_t> max_downtime_ms;
};

class Channel {
 public:
  struct Request {
    const char* path;
    std::string message;
    bool is_whole = true;
    bool answers_soon = true;  // within the connection string's defaultDeadline, or it is lost
  };

  // `request` is asked at every opening, so that it tells where to go on.
  Channel(Nodes& nodes, ChannelOptions options, std::function<Request()> request)
      : nodes_(nodes), options_(std::move(options)), request_(std::move(request)) {}

  // data: a message, whose bytes stand until the next call. nothing: none came within wait_ms, also
  // while it is lost; an attempt to connect may take longer. end: the server ended it well, and the
  // next call would open it anew. Throws what makes no sense to try again, and 75 or 69 when it is
  // given up.
  net::Http2Came next(std::string_view& message, int64_t wait_ms);

  // What came shows that the server is there again.
  void answers();

  // What came shows more, that the call gets on: the next loss is a new one, tried again at once.
  void works();

  // The call is of no more use; the next next() opens another, after a while. Throws the error when
  // it is given up.
  void fail(const base::Error& error);

  // A message on the open call. Does nothing while there is none.
  void send(std::string_view message);

  // Ends the requests of the open call, and waits so long for the server to have read them.
  void leave(int64_t wait_ms);

  // "host:port" of the server, or of the last one.
  const std::string& server() const { return server_; }

 private:
  void check_answer() const;
  void open();

  Nodes& nodes_;
  ChannelOptions options_;
  std::function<Request()> request_;
  std::shared_ptr<Node> node_;
  std::unique_ptr<Rpc> rpc_;
  std::string server_;
  bool is_lost_ = false;  // and not yet there again
  int failures_ = 0;      // since it worked
  std::optional<int64_t> lost_since_ms_;
  int64_t opened_ms_ = 0;
  bool is_answered_ = false;  // the open call
  bool answers_soon_ = true;  // else it is lost
  int64_t not_before_ms_ = 0;
};

}  // namespace eventstore
