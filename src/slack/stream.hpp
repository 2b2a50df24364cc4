// A stream of lines, in as few messages as their limit allows, no more often than an interval.
//
// Order is kept and nothing is dropped: what can't be posted yet waits in a buffer of fixed size,
// and when that is full nothing more is read, so that the writer waits too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/input.hpp"
#include "slack/split.hpp"

namespace slack {

// Where lines come from: base::read_some or something like it. After end or stop it is not asked
// again.
using Feed = std::function<base::Came(std::string& to, size_t most, int64_t wait_ms)>;

struct StreamOptions {
  // From the start of one message to that of the next, at least; when no more comes, a second at
  // most.
  int64_t interval_ms = 1'000;
  size_t most_units = 4'000;  // of a message, UTF-16
  size_t buffer_bytes = 65'536;
  Markup markup = Markup::plain;  // of what encode gives
  // Makes a message's text of lines: escapes what must be.
  std::function<std::string(const std::string& lines)> encode;
  // Posts a message; `lines` were posted before it. What it throws ends the stream.
  std::function<void(const std::string& text, int64_t lines)> post;
  // Told when no more will be read, so that what is left can be hurried.
  std::function<void()> on_end;
};

struct StreamResult {
  int64_t lines = 0;        // posted
  int64_t messages = 0;     // posted
  int64_t undelivered = 0;  // lines that were read and not posted
  std::optional<base::Error> error;
};

// Runs until the feed's end, a stop, or an error. A line longer than a message goes out
// in several; blank messages are not sent, as Slack takes none. An error of the feed is told when
// what was read before it is posted.
StreamResult stream(const Feed& feed, const base::Clock& clock, const StreamOptions& options);

}  // namespace slack
