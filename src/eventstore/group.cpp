#include "eventstore/group.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace eventstore {

namespace {

constexpr size_t kIdsAtOnce = 2'000;  // as the official clients' limit
constexpr int64_t kGoodbyeMs = 1'000;

}  // namespace

Group::Group(Nodes& nodes, const ChannelOptions& options, std::string stream, std::string group,
             int buffer)
    : stream_(std::move(stream)),
      group_(std::move(group)),
      buffer_(buffer),
      channel_(nodes, options, [this] {
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
    if (reply_.kind != ReadReply::Kind::event) continue;
    channel_.works();
    return Came::event;
  }
}

void Group::ack(const std::string& id) {
  const std::lock_guard lock(mutex_);
  done_.push_back(id);
}

void Group::nack(const std::string& id, Nack action, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  refused_.push_back({id, action, reason});
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
