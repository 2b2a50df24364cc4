#include "eventstore/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace eventstore {

namespace {

constexpr int64_t kFirstWaitMs = 100;
constexpr int64_t kMostWaitMs = 10'000;
constexpr int kMostDoublings = 7;
constexpr int64_t kConnectMs = 10'000;
constexpr int64_t kLeastConnectMs = 100;
constexpr int64_t kLastedMs = 10'000;  // a call that was open so long worked

}  // namespace

net::Http2Came Channel::next(std::string_view& message, int64_t wait_ms) {
  if (rpc_ == nullptr) {
    const int64_t left_ms = not_before_ms_ - options_.clock.monotonic_ms();
    if (left_ms > 0) options_.clock.sleep_ms(std::min(left_ms, wait_ms));
    if (left_ms > wait_ms) return net::Http2Came::nothing;
  }
  try {
    if (rpc_ == nullptr) open();
    const net::Http2Came came = rpc_->next(message, wait_ms);
    if (came == net::Http2Came::nothing) check_answer();
    if (came == net::Http2Came::end) rpc_.reset();
    if (came != net::Http2Came::data) return came;
    is_answered_ = true;
    silent_since_ms_.reset();
    nodes_.reached();
    return came;
  } catch (const base::Error& error) {
    // A certificate that is being replaced: it was good before.
    const bool is_of_files = error.code() == base::exit_configuration && nodes_.was_reached();
    if (!may_pass(error) && !is_of_files) throw;
    fail(error);
    return net::Http2Came::nothing;
  }
}

// A server may take the call and never say a word of it.
void Channel::check_answer() {
  const bool waits =
      soon_ == Request::Soon::every_message || (soon_ == Request::Soon::answer && !is_answered_);
  int64_t most_ms = nodes_.settings().default_deadline_ms;
  if (!waits || most_ms < 0) return;
  if (options_.max_downtime_ms) most_ms = std::min(most_ms, *options_.max_downtime_ms);
  const int64_t now_ms = options_.clock.monotonic_ms();
  if (!silent_since_ms_) silent_since_ms_ = now_ms;
  if (now_ms - *silent_since_ms_ < most_ms) return;
  throw base::Error(base::exit_retries_spent,
                    fmt::format("{} has not answered the request within {} (defaultDeadline)",
                                server_, base::duration(most_ms)));
}

void Channel::open() {
  int64_t most_ms = kConnectMs;
  if (options_.max_downtime_ms) {
    const int64_t now_ms = options_.clock.monotonic_ms();
    if (!lost_since_ms_) lost_since_ms_ = now_ms;
    most_ms = std::clamp(*options_.max_downtime_ms - (now_ms - *lost_since_ms_), kLeastConnectMs,
                         kConnectMs);
  }
  node_ = nodes_.node(most_ms);
  server_ = name_of(node_->endpoint);
  const Request request = request_();
  rpc_ =
      std::make_unique<Rpc>(nodes_.call(*node_, request.path, request.message, request.is_whole));
  opened_ms_ = options_.clock.monotonic_ms();
  is_answered_ = false;
  silent_since_ms_.reset();
  soon_ = request.soon;
}

void Channel::answers() {
  if (is_lost_) options_.on_notice(fmt::format("connected again, to {}", server_));
  is_lost_ = false;
}

void Channel::works() {
  answers();
  failures_ = 0;
  lost_since_ms_.reset();
}

void Channel::send(std::string_view message) {
  if (rpc_ == nullptr) return;
  try {
    rpc_->send(message);
  } catch (const base::Error& error) {
    fail(error);
  }
}

void Channel::leave(int64_t wait_ms) {
  if (rpc_ == nullptr) return;
  const int64_t until_ms = options_.clock.monotonic_ms() + wait_ms;
  try {
    rpc_->finish();
    net::Http2Came came = net::Http2Came::nothing;
    std::string_view message;
    while (came != net::Http2Came::end && options_.clock.monotonic_ms() < until_ms) {
      came = rpc_->next(message, until_ms - options_.clock.monotonic_ms());
    }
  } catch (const base::Error&) {  // it is gone already
  }
  rpc_.reset();
}

// Throws the error when there is no use in another attempt.
void Channel::fail(const base::Error& error) {
  const int64_t now_ms = options_.clock.monotonic_ms();
  const bool had_call = rpc_ != nullptr;
  rpc_.reset();
  if (const auto* ended = dynamic_cast<const RpcError*>(&error)) {
    if (!ended->status.leader_host.empty()) {
      nodes_.redirect({ended->status.leader_host, ended->status.leader_port});
    }
  }
  if (node_ != nullptr) nodes_.lost(node_);
  node_ = nullptr;
  if (had_call && is_answered_ && now_ms - opened_ms_ >= kLastedMs) {
    failures_ = 0;
    lost_since_ms_.reset();
  }
  if (!lost_since_ms_) lost_since_ms_ = now_ms;
  ++failures_;
  const int64_t down_ms = now_ms - *lost_since_ms_;
  const Connection& settings = nodes_.settings();
  const bool was_reached = nodes_.was_reached();
  const bool is_often = failures_ >= settings.max_discover_attempts;
  const bool is_hopeless = is_often && had_call && error.code() == base::exit_malformed_reply;
  const bool is_enough =
      options_.max_downtime_ms ? down_ms >= *options_.max_downtime_ms : is_often && !was_reached;
  if (is_hopeless || is_enough) {
    const std::string told = options_.max_downtime_ms
                                 ? fmt::format(" (given up after {})", base::duration(down_ms))
                                 : "";
    throw base::Error(error.code(), error.what() + told);
  }
  int64_t wait_ms = settings.discovery_interval_ms;
  if (was_reached || options_.max_downtime_ms) {
    const int64_t backoff_ms = kFirstWaitMs << std::min(failures_ - 1, kMostDoublings);
    wait_ms = std::min(backoff_ms, kMostWaitMs);
    wait_ms = wait_ms / 2 + std::llround(static_cast<double>(wait_ms) / 2 * options_.random());
  }
  if (options_.max_downtime_ms) wait_ms = std::min(wait_ms, *options_.max_downtime_ms - down_ms);
  not_before_ms_ = now_ms + wait_ms;
  if (!is_lost_) options_.on_notice(fmt::format("{}; trying again", error.what()));
  is_lost_ = true;
}

}  // namespace eventstore
