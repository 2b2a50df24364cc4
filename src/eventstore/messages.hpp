// The event store's gRPC messages of the protocol "v1" (servers 20.6 to 26), as far as they are
// used here: requests as plain structs to bytes, replies from bytes. Field numbers come from the
// server's .proto files (streams, persistent, shared). Gossip has its own: gossip.hpp.
//
// Replies that are no such message throw 76; fields that nobody here knows are skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.hpp"

namespace eventstore {

inline constexpr const char* kReadPath = "/event_store.client.streams.Streams/Read";
inline constexpr const char* kPersistentReadPath =
    "/event_store.client.persistent_subscriptions.PersistentSubscriptions/Read";

// --- Requests ---

// By a regular expression or, without one, by beginnings of which one must fit.
struct Filter {
  enum class On { stream, type } on = On::type;
  std::string regex;
  std::vector<std::string> prefixes;
};

struct ReadRequest {
  std::string stream;  // unless `all`
  bool all = false;
  // A read with a count includes what stands at the place, a subscription begins behind it.
  enum class From { start, end, position } from = From::start;
  uint64_t revision = 0;  // the position in a stream
  Position position;      // the same in $all
  bool backwards = false;
  bool resolve_links = false;
  std::optional<uint64_t> count;  // nothing: a subscription
  std::optional<Filter> filter;   // only for $all, as servers refuse it elsewhere
};

std::string read_request(const ReadRequest& request);

// The first message to a persistent subscription; "$all" is the stream of all.
std::string join_request(const std::string& stream, const std::string& group, int buffer_size);

// What is to become of events that could not be handled.
enum class Nack { park = 1, retry = 2, skip = 3, stop = 4 };

// The ids are Event::original_id()'s.
std::string ack_request(const std::vector<std::string>& ids);
std::string nack_request(const std::vector<std::string>& ids, Nack action,
                         const std::string& reason);

// --- Replies ---

struct ReadReply {
  enum class Kind {
    event,
    confirmation,  // of a subscription
    checkpoint,    // how far a filtered subscription has come: position
    stream_not_found,
    caught_up,  // from 25.1 on with position or revision
    fell_behind,
    other,
  } kind = Kind::other;
  std::optional<Position> position;
  std::optional<uint64_t> revision;
};

// Fills in both; the event only when it is one. They may be used again and again: what they held
// goes, their memory stays.
void read_reply(std::string_view message, ReadReply& reply, Event& event);

// The same of a persistent subscription: event, confirmation or other.
void persistent_reply(std::string_view message, ReadReply& reply, Event& event);

}  // namespace eventstore
