#include <doctest/doctest.h>

#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "eventstore/gossip.hpp"

namespace {

using eventstore::Connection;
using eventstore::Member;
using eventstore::MemberState;
using Prefer = eventstore::Connection::Prefer;
using protozero::pbf_writer;

std::string member(int state, bool alive, const std::string& host, uint32_t port) {
  std::string bytes;
  pbf_writer all(bytes);
  pbf_writer one(all, 1);
  one.add_string(1, "an id");
  one.add_int64(2, 123456789);
  one.add_enum(3, state);
  one.add_bool(4, alive);
  {
    pbf_writer endpoint(one, 5);
    endpoint.add_string(1, host);
    endpoint.add_uint32(2, port);
  }
  one.commit();
  return bytes;
}

// The chosen one's host; of equals the one at `chance`.
std::string chosen(const std::vector<Member>& members, Prefer prefer, size_t chance = 0) {
  const auto best = eventstore::choose_member(members, prefer, [&](size_t count) {
    CHECK(count > 0);
    return chance % count;
  });
  return best ? best->host : "nobody";
}

const std::vector<Member> kCluster = {
    {MemberState::other, true, "starting", 1}, {MemberState::read_only_replica, true, "replica", 2},
    {MemberState::follower, false, "dead", 3}, {MemberState::follower, true, "follower1", 4},
    {MemberState::leader, true, "leader", 5},  {MemberState::follower, true, "follower2", 6},
};

}  // namespace

TEST_CASE("the members of a cluster are read") {
  const auto members = eventstore::gossip_reply(
      member(8, true, "a", 2113) + member(6, false, "b", 70000) + member(3, true, "c", 1));
  REQUIRE(members.size() == 3);
  CHECK(members[0].state == MemberState::leader);
  CHECK(members[0].alive);
  CHECK(members[0].host == "a");
  CHECK(members[0].port == 2113);
  CHECK(members[1].state == MemberState::follower);
  CHECK(!members[1].alive);
  CHECK(members[1].port == 0);
  CHECK(members[2].state == MemberState::other);
  CHECK(eventstore::gossip_reply("").empty());
}

TEST_CASE("a list of members that is cut is refused or shorter, never read past") {
  const std::string whole = member(8, true, "host", 2113);
  for (size_t length = 1; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(eventstore::gossip_reply(whole.substr(0, length)), base::Error);
  }
}

TEST_CASE("whom to ask, by preference") {
  CHECK(chosen(kCluster, Prefer::leader) == "leader");
  CHECK(chosen(kCluster, Prefer::follower, 0) == "follower1");
  CHECK(chosen(kCluster, Prefer::follower, 1) == "follower2");
  CHECK(chosen(kCluster, Prefer::read_only_replica) == "replica");
  CHECK(chosen(kCluster, Prefer::random, 0) == "replica");
  CHECK(chosen(kCluster, Prefer::random, 3) == "follower2");
}

TEST_CASE("without the preferred kind somebody else is asked") {
  const std::vector<Member> followers = {{MemberState::read_only_replica, true, "replica", 1},
                                         {MemberState::follower, true, "follower", 1}};
  CHECK(chosen(followers, Prefer::leader) == "follower");
  const std::vector<Member> leader = {{MemberState::leader, true, "leader", 1}};
  CHECK(chosen(leader, Prefer::follower) == "leader");
  CHECK(chosen(leader, Prefer::read_only_replica) == "leader");
  const std::vector<Member> replicas = {{MemberState::leader, true, "leader", 1},
                                        {MemberState::read_only_leaderless, true, "leaderless", 1}};
  CHECK(chosen(replicas, Prefer::read_only_replica) == "leaderless");
}

TEST_CASE("nobody is asked who is dead, on the way or without an address") {
  CHECK(chosen({}, Prefer::random) == "nobody");
  CHECK(chosen({{MemberState::leader, false, "a", 1}}, Prefer::leader) == "nobody");
  CHECK(chosen({{MemberState::other, true, "a", 1}}, Prefer::random) == "nobody");
  CHECK(chosen({{MemberState::leader, true, "", 1}}, Prefer::leader) == "nobody");
  CHECK(chosen({{MemberState::leader, true, "a", 0}}, Prefer::leader) == "nobody");
}
