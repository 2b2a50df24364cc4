#include "eventstore/subscription.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/utf8.hpp"

namespace eventstore {

namespace {

constexpr uint64_t kLastRevision = INT64_MAX;  // the server's numbers are signed

}  // namespace

Subscription::Subscription(Nodes& nodes, const ChannelOptions& options, Target target,
                           Reading reading, Place from, uint64_t count)
    : target_(std::move(target)),
      reading_(reading),
      count_(count),
      place_(from),
      channel_(nodes, options, [this] { return request(); }) {}

// A subscription goes on behind a place, a read begins at it: in $all it gives what stands there
// once more, in a stream it can begin with the next number.
Channel::Request Subscription::request() const {
  ReadRequest read;
  read.stream = target_.stream;
  read.all = target_.is_all();
  read.backwards = reading_ == Reading::backwards;
  read.resolve_links = target_.resolve_links;
  read.filter = target_.filter;
  const bool comes_again = target_.is_all() && place_.kind == Place::Kind::after;
  if (reading_ != Reading::follow) {
    read.count = comes_again ? std::min(count_, kAllOfThem - 1) + 1 : count_;
  }
  switch (place_.kind) {
    case Place::Kind::start:
      read.from = ReadRequest::From::start;
      break;
    case Place::Kind::end:
      read.from = ReadRequest::From::end;
      break;
    case Place::Kind::after:
      read.from = ReadRequest::From::position;
      break;
  }
  read.revision = place_.revision;
  if (reading_ == Reading::to_end) read.revision = std::min(read.revision, kLastRevision - 1) + 1;
  if (reading_ == Reading::backwards) --read.revision;
  read.position = place_.position;
  // The server may look through all of the log before it finds an event that fits.
  const bool answers_soon = reading_ == Reading::follow || !target_.filter;
  return {kReadPath, read_request(read), true, answers_soon};
}

Came Subscription::next(Event& event, int64_t wait_ms) {
  const bool was_first = reading_ == Reading::backwards && place_.kind == Place::Kind::after &&
                         !target_.is_all() && place_.revision == 0;
  if (is_over_ || was_first) return Came::end;
  while (true) {
    std::string_view message;
    const net::Http2Came came = channel_.next(message, wait_ms);
    if (came == net::Http2Came::nothing) return Came::nothing;
    if (came == net::Http2Came::data) {
      const Came taken = take(message, event);
      if (taken != Came::nothing || base::stop_asked()) return taken;
      continue;
    }
    if (reading_ != Reading::follow) {
      is_over_ = true;
      return Came::end;
    }
    channel_.fail(
        {base::exit_retries_spent, fmt::format("{} ended the subscription", channel_.server())});
  }
}

// nothing: the message is none that counts.
Came Subscription::take(std::string_view message, Event& event) {
  read_reply(message, reply_, event);
  using Kind = ReadReply::Kind;
  if (reply_.kind == Kind::stream_not_found) {
    throw base::Error(base::exit_missing_input,
                      fmt::format("there is no stream {}", base::one_line(target_.stream)));
  }
  channel_.answers();
  switch (reply_.kind) {
    case Kind::event:
      if (!is_new(event)) return Came::nothing;
      channel_.works();
      place_ = {Place::Kind::after, event.original_revision(), event.original_position()};
      return Came::event;
    case Kind::checkpoint:
      channel_.works();
      move_to(reply_.position, std::nullopt);
      return Came::advanced;
    case Kind::caught_up:
      move_to(reply_.position, reply_.revision);
      return Came::caught_up;
    default:
      return Came::nothing;
  }
}

bool Subscription::is_new(const Event& event) const {
  if (place_.kind != Place::Kind::after) return true;
  const bool backwards = reading_ == Reading::backwards;
  if (target_.is_all()) {
    const Position at = event.original_position();
    return backwards ? at < place_.position : at > place_.position;
  }
  const uint64_t at = event.original_revision();
  return backwards ? at < place_.revision : at > place_.revision;
}

// What the server passed over need not be asked for again.
void Subscription::move_to(const std::optional<Position>& position,
                           const std::optional<uint64_t>& revision) {
  const bool is_placed = place_.kind == Place::Kind::after;
  if (target_.is_all() && position && (!is_placed || *position > place_.position)) {
    place_ = {Place::Kind::after, 0, *position};
  }
  if (!target_.is_all() && revision && (!is_placed || *revision > place_.revision)) {
    place_ = {Place::Kind::after, *revision, {}};
  }
}

}  // namespace eventstore
