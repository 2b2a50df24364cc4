// Many things that mostly wait, done by few threads: each thing is a step that says when the next
// one is due. One heap of deadlines, not a thread a thing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace base {

struct Schedule {
  size_t things = 0;
  size_t most_at_once = 1;  // things that have begun and are not over
  size_t threads = 1;
  // Does one step of a thing, on one of the threads (0 to threads - 1), never two steps of one
  // thing at the same time. Returns in how many ms the next one is due; nothing when the thing is
  // over. Must not throw.
  std::function<std::optional<int64_t>(size_t thing, size_t thread)> step;
  // Told of each thing that is over, one at a time. False: no more are begun.
  std::function<bool(size_t thing)> on_over;
  // Called about five times a second on the caller's thread, not while on_over is. False: stop; the
  // steps that run are waited for, and nothing more is done.
  std::function<bool(size_t running, size_t over)> on_tick;
};

// Returns when all things are over, or no more are to be begun and those that were are over, or
// on_tick said to stop.
void run_schedule(const Schedule& schedule);

}  // namespace base
