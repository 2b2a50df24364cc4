#include "eventstore/nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "eventstore/gossip.hpp"
#include "eventstore/rpc.hpp"
#include "net/base64.hpp"

namespace eventstore {

namespace {

constexpr int64_t kLookEveryMs = 100;

net::Headers call_headers(const Connection& settings) {
  net::Headers headers = {
      {"content-type", "application/grpc"},
      {"te", "trailers"},
      {"user-agent", PRODUCT_NAME "/" PRODUCT_VERSION},
  };
  if (!settings.name.empty()) headers.emplace_back("connection-name", settings.name);
  const bool wants_leader = settings.prefer == Connection::Prefer::leader;
  headers.emplace_back("requires-leader", wants_leader ? "true" : "false");
  if (!settings.user.empty()) {
    headers.emplace_back("authorization",
                         "Basic " + net::base64(settings.user + ":" + settings.password));
  }
  return headers;
}

}  // namespace

std::string name_of(const Endpoint& endpoint) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                 : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

Nodes::Nodes(Connection settings, Connect connect, base::Clock clock,
             std::function<size_t(size_t)> random)
    : settings_(std::move(settings)),
      connect_(std::move(connect)),
      clock_(std::move(clock)),
      random_(std::move(random)) {}

std::shared_ptr<Node> Nodes::node(int64_t most_ms) {
  std::unique_lock lock(mutex_);
  if (current_ != nullptr) return current_;
  if (is_connecting_) {
    const uint64_t before = attempts_;
    while (attempts_ == before) connected_.wait(lock);
    if (current_ == nullptr) throw base::Error(failure_.value());
    return current_;
  }
  const std::optional<Endpoint> leader = std::exchange(redirect_, std::nullopt);
  is_connecting_ = true;
  lock.unlock();
  std::shared_ptr<Node> node;
  std::optional<base::Error> failure;
  try {
    node = connect(leader, most_ms);
  } catch (const base::Error& error) {
    failure = error;
  } catch (const std::exception& error) {
    failure = base::Error(base::exit_our_bug, error.what());
  }
  lock.lock();
  is_connecting_ = false;
  ++attempts_;
  current_ = node;
  failure_ = failure;
  connected_.notify_all();
  if (failure) throw base::Error(*failure);
  return node;
}

std::shared_ptr<Node> Nodes::connect(const std::optional<Endpoint>& leader, int64_t most_ms) {
  if (leader) return connect_to(*leader, most_ms);
  return settings_.discover ? discover(most_ms) : connect_to(settings_.hosts.front(), most_ms);
}

void Nodes::lost(const std::shared_ptr<Node>& node) {
  const std::lock_guard lock(mutex_);
  if (current_ == node) current_ = nullptr;
}

void Nodes::redirect(const Endpoint& leader) {
  const std::lock_guard lock(mutex_);
  const bool is_there = current_ != nullptr && current_->endpoint == leader;
  if (!is_there) redirect_ = leader;
}

std::unique_ptr<net::Http2Call> Nodes::call(const Node& node, const char* path,
                                            std::string_view message, bool is_whole) const {
  return node.calls(path, call_headers(settings_), grpc_frame(message), is_whole);
}

std::shared_ptr<Node> Nodes::connect_to(const Endpoint& endpoint, int64_t most_ms) const {
  return std::make_shared<Node>(Node{endpoint, connect_(endpoint, most_ms)});
}

// Asks the seeds in a random order; the first answer that names a fit member decides.
std::shared_ptr<Node> Nodes::discover(int64_t most_ms) {
  std::vector<Endpoint> seeds = settings_.hosts;
  std::vector<std::string> problems;
  while (!seeds.empty()) {
    const auto seed = seeds.begin() + static_cast<ptrdiff_t>(random_(seeds.size()));
    try {
      const auto member = choose_member(members_by(*seed), settings_.prefer, random_);
      if (member) return connect_to(*member, most_ms);
      problems.push_back(fmt::format("{} knows of no member that can be read", name_of(*seed)));
    } catch (const base::Error& error) {
      if (error.code() == base::exit_interrupted) throw;
      problems.emplace_back(error.what());
    }
    seeds.erase(seed);
  }
  throw base::Error(base::exit_unavailable, fmt::format("no node of the cluster can be used: {}",
                                                        base::join(problems, "; ")));
}

std::vector<Member> Nodes::members_by(const Endpoint& seed) const {
  const int64_t until_ms = clock_.monotonic_ms() + settings_.gossip_timeout_ms;
  const std::shared_ptr<Node> node = connect_to(seed, settings_.gossip_timeout_ms);
  Rpc rpc(call(*node, kGossipPath, "", true));
  std::string_view message;
  while (clock_.monotonic_ms() < until_ms) {
    if (base::stop_asked()) throw base::Error(base::exit_interrupted, "stopped while connecting");
    const net::Http2Came came = rpc.next(message, kLookEveryMs);
    if (came == net::Http2Came::data) return gossip_reply(message);
    if (came == net::Http2Came::end) break;
  }
  throw base::Error(base::exit_unavailable,
                    fmt::format("{} does not tell the members of its cluster", name_of(seed)));
}

}  // namespace eventstore
