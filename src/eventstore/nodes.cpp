#include "eventstore/nodes.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::shared_ptr<Node> Nodes::node() {
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr) return current_;
  if (redirect_) {
    const Endpoint leader = *redirect_;
    redirect_.reset();
    current_ = connect_to(leader);
  } else if (settings_.discover) {
    current_ = discover();
  } else {
    current_ = connect_to(settings_.hosts.front());
  }
  return current_;
}

void Nodes::lost(const std::shared_ptr<Node>& node) {
  const std::lock_guard lock(mutex_);
  if (current_ == node) current_ = nullptr;
}

void Nodes::redirect(const Endpoint& leader) {
  const std::lock_guard lock(mutex_);
  redirect_ = leader;
}

std::unique_ptr<net::Http2Call> Nodes::call(const Node& node, const char* path,
                                            std::string_view message, bool is_whole) const {
  return node.calls(path, call_headers(settings_), grpc_frame(message), is_whole);
}

std::shared_ptr<Node> Nodes::connect_to(const Endpoint& endpoint) const {
  return std::make_shared<Node>(Node{endpoint, connect_(endpoint)});
}

// Asks the seeds in a random order; the first answer that names a fit member decides.
std::shared_ptr<Node> Nodes::discover() {
  std::vector<Endpoint> seeds = settings_.hosts;
  std::vector<std::string> problems;
  while (!seeds.empty()) {
    const auto seed = seeds.begin() + static_cast<ptrdiff_t>(random_(seeds.size()));
    try {
      const auto member = choose_member(members_by(*seed), settings_.prefer, random_);
      if (member) return connect_to(*member);
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
  const std::shared_ptr<Node> node = connect_to(seed);
  Rpc rpc(call(*node, kGossipPath, "", true));
  const int64_t until_ms = clock_.monotonic_ms() + settings_.gossip_timeout_ms;
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
