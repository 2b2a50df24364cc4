#include "net/exchange.hpp"

#include <microhttpd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace net {

namespace {

struct LastCopy {
  std::shared_ptr<Exchange> exchange;
  explicit LastCopy(std::shared_ptr<Exchange> of) : exchange(std::move(of)) {}
  LastCopy(const LastCopy&) = delete;
  LastCopy& operator=(const LastCopy&) = delete;
  ~LastCopy() { exchange->answer({.status = 500, .headers = {}, .body = {}}); }
};

}  // namespace

void Exchange::answer(ServerResponse response) {
  const std::scoped_lock lock(mutex_);
  if (over_) return;
  over_ = true;
  response_ = std::move(response);
  wake();
}

std::optional<ServerResponse> Exchange::take_or_sleep() {
  const std::scoped_lock lock(mutex_);
  if (response_) return std::exchange(response_, std::nullopt);
  asleep_ = true;
  MHD_suspend_connection(connection_);
  return std::nullopt;
}

void Exchange::close() {
  const std::scoped_lock lock(mutex_);
  over_ = true;
  wake();
}

// Under the lock. While the connection sleeps the server is there, and so is the descriptor.
void Exchange::wake() {
  if (!asleep_) return;
  asleep_ = false;
  MHD_resume_connection(connection_);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

Answer answer_to(std::shared_ptr<Exchange> exchange) {
  const auto copy = std::make_shared<LastCopy>(std::move(exchange));
  return [copy](ServerResponse response) { copy->exchange->answer(std::move(response)); };
}

}  // namespace net
