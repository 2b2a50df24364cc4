// Where events come from, one after the other: a subscription, a group, a file.
#pragma once

#include <cstdint>

#include "eventstore/event.hpp"

namespace eventstore {

// A place in a stream, by its numbers, or in $all, by positions.
struct Place {
  enum class Kind { start, end, after };  // after: behind the thing at `revision` or `position`
  Kind kind = Kind::start;
  uint64_t revision = 0;
  Position position;
};

enum class Came {
  event,
  advanced,   // no event, but place() is further: the server passed over what the filter leaves out
  caught_up,  // the end of what was there; new ones come as they are written
  nothing,    // within the time
  end,        // for good
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // Waits up to wait_ms. For an event it fills in `event`, which may be used again and again.
  virtual Came next(Event& event, int64_t wait_ms) = 0;

  // Behind what came last.
  virtual Place place() const = 0;
};

}  // namespace eventstore
