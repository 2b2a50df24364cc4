// Which node of a cluster is asked, and the connection to it, which all calls share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "eventstore/connection_string.hpp"
#include "eventstore/gossip.hpp"
#include "net/http.hpp"
#include "net/http2.hpp"

namespace eventstore {

// Opens a call on a connection, as net::Http2Connection::call does.
using Calls = std::function<std::unique_ptr<net::Http2Call>(
    const std::string& path, const net::Headers& headers, std::string_view body, bool is_whole)>;

struct Node {
  Endpoint endpoint;
  Calls calls;
};

std::string name_of(const Endpoint& endpoint);  // "host:port"

class Nodes {
 public:
  // Connects to one endpoint, within a time. Throws as net::Http2Connection does.
  using Connect = std::function<Calls(const Endpoint&, int64_t most_ms)>;

  // `random` gives a number below the one it gets, which is above 0.
  Nodes(Connection settings, Connect connect, base::Clock clock,
        std::function<size_t(size_t)> random);

  // The connection in use; when there is none, one new attempt: to the leader that an answer named,
  // to the only host, or to the member that the first seed with an answer leads to. Throws 69 when
  // nobody answers, naming each seed and why; else what connecting throws. A connection may take
  // most_ms. From any thread: who asks while another connects gets what becomes of that.
  std::shared_ptr<Node> node(int64_t most_ms);

  // This one is not to be used again.
  void lost(const std::shared_ptr<Node>& node);

  // The next connection goes there.
  void redirect(const Endpoint& leader);

  // Whether anything ever came of the calls. From any thread.
  void reached() { was_reached_ = true; }
  bool was_reached() const { return was_reached_; }

  // Opens a call with this message in it.
  std::unique_ptr<net::Http2Call> call(const Node& node, const char* path, std::string_view message,
                                       bool is_whole) const;

  const Connection& settings() const { return settings_; }

 private:
  std::shared_ptr<Node> connect(const std::optional<Endpoint>& leader, int64_t most_ms);
  std::shared_ptr<Node> connect_to(const Endpoint& endpoint, int64_t most_ms) const;
  std::shared_ptr<Node> discover(int64_t most_ms);
  std::vector<Member> members_by(const Endpoint& seed) const;

  const Connection settings_;
  const Connect connect_;
  const base::Clock clock_;
  const std::function<size_t(size_t)> random_;
  std::atomic<bool> was_reached_ = false;
  std::mutex mutex_;
  std::condition_variable connected_;  // or not
  bool is_connecting_ = false;
  uint64_t attempts_ = 0;               // that have ended
  std::optional<base::Error> failure_;  // of the last one
  std::shared_ptr<Node> current_;
  std::optional<Endpoint> redirect_;
};

}  // namespace eventstore
