#include "net/http2_link.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"

namespace net {

namespace {

constexpr size_t kReadBytes = size_t{128} << 10U;
constexpr size_t kSendBytes = size_t{64} << 10U;
constexpr int64_t kLookForStopMs = 100;
constexpr int64_t kLongestPollMs = 60'000;

}  // namespace

Http2Link::Http2Link(const std::string& host, uint16_t port, const Http2Options& options)
    : options_(options),
      place_(authority(host, port)),
      until_ms_(base::monotonic_ms() + options.connect_timeout_ms),
      socket_(host, port, options, until_ms_),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      session_(place_, options.tls, options.window_bytes) {
  if (bell_.fd < 0) throw base::Error(base::exit_our_bug, "no descriptor for a connection");
}

// --- For the callers ---

void Http2Link::start() {
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  while (!has_settings_ && !is_over_) {
    if (base::stop_asked()) {
      throw base::Error(base::exit_interrupted, "stopped while the connection was made");
    }
    const int64_t left_ms = until_ms_ - base::monotonic_ms();
    if (left_ms <= 0) {
      const std::string text = fmt::format(
          "{} has not answered within {}; does it speak HTTP/2, and TLS or not? "
          "(tls=true, tls=false)",
          place_, base::duration(options_.connect_timeout_ms));
      throw base::Error(base::exit_retries_spent, text);
    }
    settled_.wait_for(lock, std::chrono::milliseconds(std::min(left_ms, kLookForStopMs)));
  }
  if (has_settings_) return;
  const base::Error why = no_new_calls_.value();
  if (why.code() != base::exit_retries_spent) throw base::Error(why);
  throw base::Error(
      why.code(),
      fmt::format("{}; does it speak HTTP/2, and TLS or not? (tls=true, tls=false)", why.what()));
}

void Http2Link::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  ring();
  if (thread_.joinable()) thread_.join();
}

void Http2Link::open(const std::shared_ptr<Http2Stream>& stream) {
  const std::lock_guard lock(mutex_);
  if (no_new_calls_) throw base::Error(*no_new_calls_);
  if (waiting_.empty()) ring();
  waiting_.push_back(stream);
}

void Http2Link::wake(const std::shared_ptr<Http2Stream>& stream) {
  const std::lock_guard lock(mutex_);
  if (is_over_) return;
  if (waiting_.empty()) ring();
  waiting_.push_back(stream);
}

void Http2Link::ring() const {
  ::eventfd_write(bell_.fd, 1);
}

// --- The thread ---

void Http2Link::run() {
  try {
    work();
    end({base::exit_retries_spent, fmt::format("the connection to {} was closed here", place_)});
  } catch (const base::Error& error) {
    end(error);
  } catch (const std::exception& error) {
    end({base::exit_our_bug, error.what()});
  }
}

// Until the connection is to be stopped.
void Http2Link::work() {
  buffer_.resize(kReadBytes);
  heard_ms_ = base::monotonic_ms();
  bool goes_on = true;
  while (goes_on) {
    goes_on = serve_calls();
    if (!goes_on) session_.say_goodbye();
    send();
    if (!goes_on) break;
    session_.throw_if_over();
    wait();
    receive();
    keep_alive();
    tell_state();
  }
  socket_.close();
}

// False when the connection is to be stopped.
bool Http2Link::serve_calls() {
  std::vector<std::shared_ptr<Http2Stream>> streams;
  bool goes_on = true;
  {
    const std::lock_guard lock(mutex_);
    streams.swap(waiting_);
    goes_on = !is_stopping_;
  }
  for (const auto& stream : streams) session_.serve(stream);
  return goes_on;
}

// As much as the socket takes.
void Http2Link::send() {
  while (true) {
    session_.give(unsent_, kSendBytes);
    if (unsent_.empty()) return;
    const size_t sent = socket_.write(std::string_view(unsent_).substr(unsent_at_));
    unsent_at_ += sent;
    if (unsent_at_ < unsent_.size() && sent == 0) return;
    if (unsent_at_ < unsent_.size()) continue;
    unsent_.clear();
    unsent_at_ = 0;
  }
}

void Http2Link::wait() {
  int64_t wait_ms = kLongestPollMs;
  const int64_t ask_ms = pinged_ms_ < 0 ? heard_ms_ + options_.keepalive_interval_ms
                                        : pinged_ms_ + options_.keepalive_timeout_ms;
  if (keeps_alive()) wait_ms = std::clamp(ask_ms - base::monotonic_ms(), int64_t{0}, wait_ms);
  if (may_be_more_ || socket_.broken()) wait_ms = 0;
  const bool writes = !unsent_.empty() && !socket_.broken();
  const auto events =
      static_cast<short>(socket_.events_to_read() | (writes ? socket_.events_to_write() : 0));
  std::array<pollfd, 2> fds = {{{socket_.descriptor(), events, 0}, {bell_.fd, POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
  eventfd_t rings = 0;
  if (fds[1].revents != 0) ::eventfd_read(bell_.fd, &rings);
  may_be_more_ = may_be_more_ || fds[0].revents != 0;
}

// One buffer at most, so that the calls are served between.
void Http2Link::receive() {
  if (!may_be_more_ && !socket_.broken()) return;
  const size_t size = socket_.read(buffer_.data(), buffer_.size());
  may_be_more_ = size > 0;
  if (size == 0 && socket_.broken()) throw base::Error(*socket_.broken());
  if (size == 0) return;
  heard_ms_ = base::monotonic_ms();
  pinged_ms_ = -1;
  session_.take(std::string_view(buffer_).substr(0, size));
}

bool Http2Link::keeps_alive() const {
  return options_.keepalive_interval_ms >= 0 && options_.keepalive_timeout_ms >= 0;
}

void Http2Link::keep_alive() {
  if (!keeps_alive()) return;
  const int64_t now = base::monotonic_ms();
  if (pinged_ms_ < 0 && now - heard_ms_ >= options_.keepalive_interval_ms) {
    session_.ping();
    pinged_ms_ = now;
  }
  if (pinged_ms_ < 0 || now - pinged_ms_ < options_.keepalive_timeout_ms) return;
  const int64_t silent_ms = options_.keepalive_interval_ms + options_.keepalive_timeout_ms;
  throw base::Error(base::exit_retries_spent,
                    fmt::format("{} has not answered for {}", place_, base::duration(silent_ms)));
}

void Http2Link::tell_state() {
  const std::lock_guard lock(mutex_);
  if (session_.has_settings() && !has_settings_) {
    has_settings_ = true;
    settled_.notify_one();
  }
  if (session_.going_away() && !no_new_calls_) no_new_calls_ = session_.going_away();
}

void Http2Link::end(const base::Error& why) {
  std::vector<std::shared_ptr<Http2Stream>> streams;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    if (!no_new_calls_) no_new_calls_ = why;
    streams.swap(waiting_);
    settled_.notify_one();
  }
  session_.end_all(why);
  for (const auto& stream : streams) fail(*stream, why);
}

}  // namespace net
