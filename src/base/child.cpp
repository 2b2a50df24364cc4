#include "base/child.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/clock.hpp"

namespace base {

namespace {

constexpr size_t kMostBytes = 65536;  // a pipe's usual size
constexpr int64_t kGraceMs = 2'000;
constexpr int64_t kLookEveryMs = 5;

bool is_passing() {
  return errno == EINTR || errno == EAGAIN;
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, const std::vector<std::string>& environment)
    : pid_(start_program(argv, environment, input_.reader.fd, output_.writer.fd, STDERR_FILENO)) {
  close_end(input_.reader);
  close_end(output_.writer);
  ::fcntl(input_.writer.fd, F_SETFL, O_NONBLOCK);
  ::fcntl(output_.reader.fd, F_SETFL, O_NONBLOCK);
}

Child::~Child() {
  end(kGraceMs);
}

bool Child::exchange(std::string_view input, size_t& given, std::string& output, int64_t wait_ms) {
  if (output_.reader.fd < 0) return false;
  pollfd waits[] = {{output_.reader.fd, POLLIN, 0}, {input_.writer.fd, POLLOUT, 0}};
  if (given >= input.size()) waits[1].fd = -1;
  const int ready = ::poll(waits, 2, static_cast<int>(wait_ms));
  if (ready == 0) return !has_ended(pid_);  // what it left behind may hold its output open
  if (ready < 0) return true;
  if (waits[1].revents != 0) {
    const size_t some = std::min(input.size() - given, kMostBytes);
    const ssize_t written = ::write(input_.writer.fd, input.data() + given, some);
    if (written >= 0) given += static_cast<size_t>(written);
    if (written < 0 && !is_passing()) close_end(input_.writer);
  }
  if (input_.writer.fd < 0) given = input.size();
  if (waits[0].revents == 0) return true;
  const size_t before = output.size();
  output.resize(before + kMostBytes);
  const ssize_t got = ::read(output_.reader.fd, output.data() + before, kMostBytes);
  output.resize(before + static_cast<size_t>(std::max(got, ssize_t{0})));
  if (got > 0 || (got < 0 && is_passing())) return true;
  close_end(output_.reader);
  return false;
}

bool Child::ends_within(int64_t most_ms) {
  const Clock clock = real_clock();
  const int64_t latest_ms = clock.monotonic_ms() + most_ms;
  std::string dropped;
  size_t given = 0;
  while (!has_ended(pid_)) {
    if (clock.monotonic_ms() >= latest_ms) return false;
    if (!exchange("", given, dropped, kLookEveryMs)) clock.sleep_ms(kLookEveryMs);
    dropped.clear();
  }
  return true;
}

int Child::end(int64_t grace_ms) {
  if (exit_code_) return *exit_code_;
  close_end(input_.writer);
  if (!ends_within(grace_ms)) {
    ::kill(-pid_, SIGTERM);
    ends_within(grace_ms / 2);
  }
  exit_code_ = end_group(pid_);
  close_end(output_.reader);
  return *exit_code_;
}

}  // namespace base
