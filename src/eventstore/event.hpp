// An event as the server recorded it, and where it stands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventstore {

// The server's word for "no position", also where a position is absent.
inline constexpr uint64_t kNoPosition = UINT64_MAX;

// Where something stands in $all: in the transaction file, in bytes.
struct Position {
  uint64_t commit = kNoPosition;
  uint64_t prepare = kNoPosition;

  auto operator<=>(const Position&) const = default;
};

// An entry of a stream that points to an event in another one.
struct Link {
  std::string stream;
  uint64_t revision = 0;
  Position position;
  std::string id;  // UUID, 8-4-4-4-12 in lower case
};

// What an ID may be made of: printable ASCII without spaces, so that it can stand anywhere.
inline bool is_id(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct Event {
  std::string stream;     // bytes, which need not be UTF-8
  uint64_t revision = 0;  // its number in the stream, from 0
  Position position;      // absent on reads of a single stream by old servers
  std::string type;
  std::string id;             // UUID, 8-4-4-4-12 in lower case
  int64_t created_ticks = 0;  // 100 ns since 1970 UTC
  std::string content_type;   // "application/json", "application/octet-stream"
  std::string data;           // bytes
  std::string metadata;       // bytes
  std::optional<Link> link;   // the way by which it came, when links are resolved
  // The link's target was deleted: all of the event but `link` is empty.
  bool is_missing = false;
  int retries = 0;  // deliveries before this one, by a persistent subscription

  // What stands at this place in the stream that is read: the link where there is one. Checkpoints
  // and acknowledgements are about this.
  uint64_t original_revision() const { return link ? link->revision : revision; }
  Position original_position() const { return link ? link->position : position; }
  const std::string& original_id() const { return link ? link->id : id; }
};

}  // namespace eventstore
