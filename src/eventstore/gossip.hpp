// Who belongs to a cluster, and whom of them to ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/connection_string.hpp"

namespace eventstore {

// Asked with an empty message.
inline constexpr const char* kGossipPath = "/event_store.client.gossip.Gossip/Read";

// Those of the server's states in which it answers reads.
enum class MemberState {
  other = 0,
  follower = 6,
  leader = 8,
  read_only_leaderless = 12,
  pre_read_only_replica = 13,
  read_only_replica = 14,
};

struct Member {
  MemberState state = MemberState::other;
  bool alive = false;
  std::string host;
  uint16_t port = 0;
};

// Throws 76.
std::vector<Member> gossip_reply(std::string_view message);

// One of those that live and answer reads: the best by preference (else a leader, then whoever
// there is), among equals by chance. `below` gives a number from 0 to its argument less 1. Nothing
// when there is none: a moment later there may be.
std::optional<Endpoint> choose_member(const std::vector<Member>& members, Connection::Prefer prefer,
                                      const std::function<size_t(size_t)>& below);

}  // namespace eventstore
