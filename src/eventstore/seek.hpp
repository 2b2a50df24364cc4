// Turns what a person says of a beginning into a place, by asking the server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/subscription.hpp"

namespace eventstore {

struct Offset {
  enum class Kind { beginning, end, number, last, time, position };
  Kind kind = Kind::end;
  uint64_t number = 0;  // number: of the first event that is given; last: how many
  int64_t ticks = 0;    // time: 100 ns since 1970 UTC
  Position position;    // what was seen last, in $all
};

// "beginning", "end", "17", "-5", "@TIME", or "COMMIT/PREPARE" as %p prints it. TIME is an RFC 3339
// date or time (UTC without a zone), seconds or milliseconds since 1970, or "-2h", "-7d": so long
// before `now_ticks`. False when it is none of these.
bool read_offset(std::string_view text, int64_t now_ticks, Offset& offset);

// Where to go on from. The end is a fixed place too, so that nothing written while the connection
// is lost is missed. By time: before the first event that is not older, found by halving; times of
// a stream's events are taken to grow. Throws as Channel::next does, 130 when a stop is asked for.
Place find_place(Nodes& nodes, const ChannelOptions& options, const Target& target,
                 const Offset& offset);

// Behind the last event there is; start when there is none.
Place last_place(Nodes& nodes, const ChannelOptions& options, const Target& target);

// What to tell of a checkpoint behind `revision` in a stream that ends at `last`, when it ends
// before that: nothing comes until it is as long, and what is written until then is passed over.
// Else "".
std::string ahead_of_end(uint64_t revision, const Place& last);

}  // namespace eventstore
