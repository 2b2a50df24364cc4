// Reads a stream or $all in order, over every loss of the connection: forwards without end (a
// catch-up subscription), forwards to the end, or backwards to the start. Nothing is given twice
// and nothing is left out.
#pragma once

#include <optional>
#include <string>

#include "eventstore/channel.hpp"
#include "eventstore/messages.hpp"
#include "eventstore/source.hpp"

namespace eventstore {

enum class Reading { follow, to_end, backwards };

inline constexpr uint64_t kAllOfThem = INT64_MAX;  // the server's counts are signed

struct Target {
  std::string stream;  // "" is $all
  bool resolve_links = false;
  std::optional<Filter> filter;  // by the server; of $all only

  bool is_all() const { return stream.empty(); }
};

class Subscription : public Source {
 public:
  // `count`: how many are asked for, of those that do not follow; the reader counts as well, as
  // more may come after a loss.
  Subscription(Nodes& nodes, const ChannelOptions& options, Target target, Reading reading,
               Place from, uint64_t count = kAllOfThem);

  // end: all was read, and when following never. Throws as Channel::next does; 66 for a stream that
  // is not there, unless it follows: then it may come.
  Came next(Event& event, int64_t wait_ms) override;

  Place place() const override { return place_; }

 private:
  Channel::Request request() const;
  Came take(std::string_view message, Event& event);
  bool is_new(const Event& event) const;
  void move_to(const std::optional<Position>& position, const std::optional<uint64_t>& revision);

  const Target target_;
  const Reading reading_;
  const uint64_t count_;
  Place place_;
  Channel channel_;
  ReadReply reply_;
  bool is_over_ = false;
};

}  // namespace eventstore
