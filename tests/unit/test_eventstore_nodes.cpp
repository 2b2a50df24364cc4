#include "eventstore/nodes.hpp"

#include <map>

#include "eventstore_server.hpp"

using eventstore::MemberState;
using eventstore::Node;
using namespace eventstore_server;
using Names = std::vector<std::string>;

namespace {

constexpr const char* kCluster = "esdb://a:1,b:2,c:3?tls=false";

std::string gossip_frame(const std::string& host, int port, MemberState state) {
  std::string bytes;
  pbf_writer reply(bytes);
  {
    pbf_writer member(reply, 1);
    member.add_enum(3, static_cast<int>(state));
    member.add_bool(4, true);
    pbf_writer endpoint(member, 5);
    endpoint.add_string(1, host);
    endpoint.add_uint32(2, static_cast<uint32_t>(port));
  }
  return framed(bytes);
}

std::string error_of(Server& server) {
  try {
    server.nodes.node(10'000);
  } catch (const base::Error& error) {
    return fmt::format("{} {}", static_cast<int>(error.code()), error.what());
  }
  return "";
}

void refuse(const std::string& endpoint) {
  throw base::Error(base::exit_unavailable, endpoint + " refused");
}

}  // namespace

TEST_CASE("one host is asked directly, and its connection is shared until it is lost") {
  Server server;
  const auto first = server.nodes.node(10'000);
  CHECK(server.nodes.node(10'000) == first);
  CHECK(server.asked.empty());
  server.nodes.lost(first);
  const auto second = server.nodes.node(10'000);
  CHECK(second != first);
  server.nodes.lost(first);  // told late, by another call
  CHECK(server.nodes.node(10'000) == second);
  CHECK(server.connections == Names{"one:2113", "one:2113"});
}

TEST_CASE("seeds are asked until one names a member that can be read") {
  Server server(kCluster);
  server.on_connect = [](const std::string& endpoint) {
    if (endpoint == "a:1") refuse(endpoint);
  };
  server.replies = {{gossip_frame("x", 9, MemberState::other)},
                    {gossip_frame("d", 4, MemberState::leader)}};
  CHECK(eventstore::name_of(server.nodes.node(10'000)->endpoint) == "d:4");
  CHECK(server.connections == Names{"a:1", "b:2", "c:3", "d:4"});
}

TEST_CASE("nobody answers: each seed is named with its reason") {
  Server server(kCluster);
  server.on_connect = [](const std::string& endpoint) {
    if (endpoint == "a:1") refuse(endpoint);
  };
  server.replies = {{gossip_frame("x", 9, MemberState::other)}, {""}};
  CHECK(error_of(server) ==
        "69 no node of the cluster can be used: a:1 refused; b:2 knows of no member that can be "
        "read; c:3 does not tell the members of its cluster");
}

TEST_CASE("a member that is named but can't be reached does not end the search") {
  Server server(kCluster);
  server.on_connect = [](const std::string& endpoint) {
    if (endpoint == "d:4") refuse(endpoint);
  };
  server.replies = {{gossip_frame("d", 4, MemberState::leader)},
                    {gossip_frame("e", 5, MemberState::leader)}};
  CHECK(eventstore::name_of(server.nodes.node(10'000)->endpoint) == "e:5");
}

TEST_CASE("a seed that is silent is left after gossipTimeout") {
  Server server("esdb+discover://a:1,b:2?tls=false&gossipTimeout=700");
  server.replies = {open_reply(""), {gossip_frame("d", 4, MemberState::follower)}};
  const int64_t begun_ms = server.time.now_ms;
  CHECK(eventstore::name_of(server.nodes.node(10'000)->endpoint) == "d:4");
  CHECK(server.time.now_ms - begun_ms == 700);
}

TEST_CASE("a stop while a seed is asked is no seed's fault") {
  Server server(kCluster);
  server.on_connect = [](const std::string&) {
    throw base::Error(base::exit_interrupted, "stopped while connecting");
  };
  CHECK(error_of(server) == "130 stopped while connecting");
  CHECK(server.connections.size() == 1);
}

TEST_CASE("a redirect goes before gossip, for one connection") {
  Server server(kCluster);
  server.replies = {{gossip_frame("d", 4, MemberState::leader)}};
  server.nodes.redirect({"::1", 7});
  const auto leader = server.nodes.node(10'000);
  CHECK(server.connections == Names{"[::1]:7"});
  server.nodes.lost(leader);
  server.nodes.node(10'000);
  CHECK(server.connections == Names{"[::1]:7", "a:1", "d:4"});
}

TEST_CASE("headers of a call") {
  struct {
    std::string url;
    std::map<std::string, std::string> expected;
  } const rows[] = {
      {"esdb://one:2113?tls=false", {{"requires-leader", "true"}, {"te", "trailers"}}},
      {"esdb://u:p%40@one?connectionName=n&nodePreference=follower",
       {{"requires-leader", "false"},
        {"connection-name", "n"},
        {"authorization", "Basic dTpwQA=="}}},
  };
  for (const auto& row : rows) {
    Server server(row.url);
    server.replies = {{}};
    const auto node = server.nodes.node(10'000);
    server.nodes.call(*node, eventstore::kReadPath, eventstore::read_request({}), true);
    const net::Headers& headers = server.headers.at(0);
    CHECK(net::header(headers, "content-type") == "application/grpc");
    for (const auto& [name, value] : row.expected) CHECK(net::header(headers, name) == value);
    CHECK(net::header(headers, "authorization").empty() ==
          (row.expected.count("authorization") == 0));
  }
}
