#include "eventstore/group.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/signals.hpp"

namespace eventstore {

namespace {

constexpr size_t kIdsAtOnce = 2'000;  // as the official clients' limit
constexpr int64_t kGoodbyeMs = 1'000;
constexpr size_t kMostRemembered = 100;

}  // namespace

Group::Group(Nodes& nodes, const ChannelOptions& options, std::string stream, std::string group,
             int buffer)
    : stream_(std::move(stream)),
      group_(std::move(group)),
      buffer_(buffer),
      channel_(nodes, options, [this] {
        acknowledged_.clear();  // what was said on a call that broke may not have come
        return Channel::Request{kPersistentReadPath,
                                join_request(stream_.empty() ? "$all" : stream_, group_, buffer_),
                                false};
      }) {}

Came Group::next(Event& event, int64_t wait_ms) {
  while (true) {
    flush();
    std::string_view message;
    const net::Http2Came came = channel_.next(message, wait_ms);
    if (came == net::Http2Came::nothing) return Came::nothing;
    if (came == net::Http2Came::end) {
      channel_.fail({base::exit_retries_spent,
                     fmt::format("{} ended the subscription of the group", channel_.server())});
      continue;
    }
    persistent_reply(message, reply_, event);
    channel_.answers();
    const bool is_event = reply_.kind == ReadReply::Kind::event;
    if (is_event) channel_.works();
    if (is_event && is_new(event.original_id())) return Came::event;
    if (base::stop_asked()) return Came::nothing;
  }
}

// The server gives an event again after its message timeout, however long the queue here is.
bool Group::is_new(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (std::find(acknowledged_.begin(), acknowledged_.end(), id) != acknowledged_.end()) {
    done_.push_back(id);
    return false;
  }
  return in_hand_.insert(id).second;
}

void Group::ack(const std::string& id) {
  const std::lock_guard lock(mutex_);
  done_.push_back(id);
  in_hand_.erase(id);
  acknowledged_.push_back(id);
  if (acknowledged_.size() > kMostRemembered) acknowledged_.pop_front();
}

void Group::nack(const std::string& id, Nack action, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  refused_.push_back({id, action, reason});
  in_hand_.erase(id);
}

void Group::leave() {
  flush();
  channel_.leave(kGoodbyeMs);
}

void Group::flush() {
  std::vector<std::string> done;
  std::vector<Refusal> refused;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
    refused.swap(refused_);
  }
  for (size_t at = 0; at < done.size(); at += kIdsAtOnce) {
    const auto from = done.begin() + static_cast<ptrdiff_t>(at);
    const auto count = static_cast<ptrdiff_t>(std::min(kIdsAtOnce, done.size() - at));
    channel_.send(ack_request({from, from + count}));
  }
  for (const Refusal& refusal : refused) {
    channel_.send(nack_request({refusal.id}, refusal.action, refusal.reason));
  }
}

}  // namespace eventstore
