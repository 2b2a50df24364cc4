#include "eventstore/gossip.hpp"

#include "eventstore/protobuf.hpp"

namespace eventstore {

namespace {

using Prefer = Connection::Prefer;
using protobuf::bytes_of;
using protobuf::number_of;
using protobuf::Reader;
using protobuf::view_of;

MemberState state_of(int32_t number) {
  for (const MemberState state :
       {MemberState::follower, MemberState::leader, MemberState::read_only_leaderless,
        MemberState::pre_read_only_replica, MemberState::read_only_replica}) {
    if (number == static_cast<int32_t>(state)) return state;
  }
  return MemberState::other;
}

void read_endpoint(Reader reader, Member& member) {
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_of(1):
        member.host.assign(view_of(reader));
        break;
      case number_of(2):
        if (const uint32_t port = reader.get_uint32(); port <= UINT16_MAX) {
          member.port = static_cast<uint16_t>(port);
        }
        break;
      default:
        reader.skip();
    }
  }
}

Member member_of(Reader reader) {
  Member member;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case number_of(3):
        member.state = state_of(reader.get_enum());
        break;
      case number_of(4):
        member.alive = reader.get_uint64() != 0;
        break;
      case bytes_of(5):
        read_endpoint(reader.get_message(), member);
        break;
      default:
        reader.skip();
    }
  }
  return member;
}

// 0 is the best.
int rank(MemberState state, Prefer prefer) {
  const bool is_leader = state == MemberState::leader;
  const bool is_follower = state == MemberState::follower;
  switch (prefer) {
    case Prefer::random:
      return 0;
    case Prefer::leader:
      return is_leader ? 0 : (is_follower ? 1 : 2);
    case Prefer::follower:
      return is_follower ? 0 : (is_leader ? 1 : 2);
    case Prefer::read_only_replica:
      break;
  }
  if (state == MemberState::read_only_replica) return 0;
  if (is_leader || is_follower) return is_leader ? 2 : 3;
  return 1;
}

}  // namespace

std::vector<Member> gossip_reply(std::string_view message) {
  std::vector<Member> members;
  protobuf::reading("a list of members", [&] {
    Reader reader(message.data(), message.size());
    while (reader.next(1, protobuf::Wire::length_delimited)) {
      members.push_back(member_of(reader.get_message()));
    }
  });
  return members;
}

std::optional<Endpoint> choose_member(const std::vector<Member>& members, Prefer prefer,
                                      const std::function<size_t(size_t)>& below) {
  std::vector<Endpoint> best;
  int best_rank = 0;
  for (const Member& member : members) {
    const bool is_useful = member.alive && member.state != MemberState::other &&
                           !member.host.empty() && member.port != 0;
    if (!is_useful) continue;
    const int its_rank = rank(member.state, prefer);
    if (its_rank < best_rank) best.clear();
    if (best.empty()) best_rank = its_rank;
    if (its_rank == best_rank) best.push_back({member.host, member.port});
  }
  if (best.empty()) return std::nullopt;
  return best[below(best.size())];
}

}  // namespace eventstore
