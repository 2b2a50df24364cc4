#include "eventstore/seek.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "eventstore/timestamp.hpp"

namespace eventstore {

namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr int64_t kTicksPerMs = 10'000;
constexpr int64_t kFirstMs = 100'000'000'000;  // as seconds it would be the year 5138
constexpr size_t kDateBytes = 10;              // 2026-11-25
constexpr double kLongestAgoMs = 3.2e12;       // a hundred years

struct Asked {
  Nodes& nodes;
  const ChannelOptions& options;
  const Target& target;
};

// Reads until `take` has enough (false) or nothing more is there; not at all in a stream that does
// not exist.
template <typename Take>
void read(const Asked& asked, Reading reading, const Place& from, uint64_t count,
          const Take& take) {
  Subscription events(asked.nodes, asked.options, asked.target, reading, from, count);
  Event event;
  try {
    while (true) {
      if (base::stop_asked()) throw base::Error(base::exit_interrupted, "stopped");
      const Came came = events.next(event, kLookEveryMs);
      if (came == Came::end) return;
      if (came == Came::event && !take(event)) return;
    }
  } catch (const base::Error& error) {
    const bool is_absent = error.code() == base::exit_missing_input &&
                           dynamic_cast<const RpcError*>(&error) == nullptr;
    if (!is_absent) throw;
  }
}

Place behind(const Event& event) {
  return {Place::Kind::after, event.original_revision(), event.original_position()};
}

Place before(uint64_t revision) {
  if (revision == 0) return {};
  return {Place::Kind::after, revision - 1, {}};
}

// So that the last `count` events follow.
Place before_last(const Asked& asked, uint64_t count) {
  if (count == 0) return last_place(asked.nodes, asked.options, asked.target);
  uint64_t seen = 0;
  Place place;
  read(asked, Reading::backwards, {Place::Kind::end, 0, {}}, count + 1, [&](const Event& event) {
    if (++seen <= count) return true;
    place = behind(event);
    return false;
  });
  return place;
}

// The first event from a number on, as older ones may be gone.
std::optional<Event> first_from(const Asked& asked, uint64_t revision) {
  std::optional<Event> found;
  read(asked, Reading::to_end, before(revision), 1, [&](const Event& event) {
    found = event;
    return false;
  });
  return found;
}

// A link counts with its own time, as its target may be older or gone.
Place before_time(const Asked& of, int64_t ticks) {
  const Target links = {of.target.stream, false, std::nullopt};
  const Asked asked = {of.nodes, of.options, links};
  const Place last = last_place(asked.nodes, asked.options, asked.target);
  if (last.kind == Place::Kind::start) return last;
  uint64_t low = 0;
  uint64_t high = last.revision + 1;  // the first event that is not older is in [low, high]
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const std::optional<Event> event = first_from(asked, middle);
    if (!event || event->created_ticks >= ticks) {
      high = middle;
    } else {
      low = event->original_revision() + 1;
    }
  }
  return before(low);
}

// "90s", "2h", "7d"; base's durations are waits, and end at a day.
bool read_ago_ms(std::string_view text, double& ms) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr Unit units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    double value = 0;
    if (!base::read_number(text.substr(0, text.size() - unit.name.size()), value)) return false;
    ms = value * unit.ms;
    return ms >= 0 && ms <= kLongestAgoMs;
  }
  return false;
}

// UTC without a zone.
bool read_date_or_time(std::string_view text, int64_t& ticks) {
  std::string time(text);
  if (time.size() == kDateBytes) time += "T00:00:00";
  return read_time(time, ticks) || read_time(time + 'Z', ticks);
}

}  // namespace

bool read_offset(std::string_view text, int64_t now_ticks, Offset& offset) {
  if (text == "beginning") {
    offset.kind = Offset::Kind::beginning;
    return true;
  }
  if (text == "end") {
    offset.kind = Offset::Kind::end;
    return true;
  }
  if (text.starts_with('@')) {
    offset.kind = Offset::Kind::time;
    const std::string_view time = text.substr(1);
    int64_t number = 0;
    if (time.starts_with('-')) {
      double ago_ms = 0;
      if (!read_ago_ms(time.substr(1), ago_ms)) return false;
      offset.ticks = now_ticks - static_cast<int64_t>(ago_ms) * kTicksPerMs;
      return true;
    }
    if (base::read_number(time, number)) {
      if (number < 0 || number > INT64_MAX / kTicksPerMs) return false;
      const int64_t ms = number < kFirstMs ? number * 1000 : number;
      offset.ticks = ms * kTicksPerMs;
      return true;
    }
    return read_date_or_time(time, offset.ticks);
  }
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    offset.kind = Offset::Kind::position;
    return base::read_number(text.substr(0, slash), offset.position.commit) &&
           base::read_number(text.substr(slash + 1), offset.position.prepare) &&
           offset.position.commit <= INT64_MAX && offset.position.prepare <= INT64_MAX;
  }
  const bool is_last = text.starts_with('-');
  offset.kind = is_last ? Offset::Kind::last : Offset::Kind::number;
  return base::read_number(is_last ? text.substr(1) : text, offset.number) &&
         offset.number <= INT64_MAX;
}

Place last_place(Nodes& nodes, const ChannelOptions& options, const Target& target) {
  const Asked asked = {nodes, options, {target.stream, false, std::nullopt}};
  Place place;
  read(asked, Reading::backwards, {Place::Kind::end, 0, {}}, 1, [&](const Event& event) {
    place = behind(event);
    return false;
  });
  return place;
}

std::string ahead_of_end(uint64_t revision, const Place& last) {
  if (last.kind != Place::Kind::after || last.revision >= revision) return "";
  return fmt::format(
      "its checkpoint is behind event {}, but the stream ends at {}, so it is passed over up to "
      "there: it is another stream or server now, or a node that lags; checkpoints reset begins "
      "anew",
      revision, last.revision);
}

Place find_place(Nodes& nodes, const ChannelOptions& options, const Target& target,
                 const Offset& offset) {
  const Asked asked = {nodes, options, target};
  switch (offset.kind) {
    case Offset::Kind::beginning:
      return {};
    case Offset::Kind::end:
      return last_place(nodes, options, target);
    case Offset::Kind::number:
      return before(offset.number);
    case Offset::Kind::last:
      return before_last(asked, offset.number);
    case Offset::Kind::time:
      return before_time(asked, offset.ticks);
    case Offset::Kind::position:
      return {Place::Kind::after, 0, offset.position};
  }
  return {};
}

}  // namespace eventstore
