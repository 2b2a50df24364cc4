#include "commands/outlet.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/signals.hpp"
#include "commands/report.hpp"
#include "github/actions.hpp"

namespace commands {

namespace {

constexpr size_t kMostBytesHeld = 65'536;
// A pipe that takes anything takes as much at once; a file always takes all.
constexpr size_t kSureBytes = 4'096;
constexpr size_t kSureBytesOfFile = 65'536;
constexpr int kLookEveryMs = 100;

// How much of it can go to a runner now: whole lines, or of a line that is too long all but what
// could be half of a command's sign (:: or ##[).
size_t bytes_to_pass(const std::string& text) {
  const size_t lines = text.rfind('\n') + 1;  // npos + 1 == 0
  if (lines > 0 || text.size() < kMostBytesHeld) return lines;
  const size_t last = text.find_last_not_of(":#");
  return last == std::string::npos ? text.size() : last + 1;
}

// Whether it takes something within that time, or until `waker` is readable; -1 for none.
bool is_writable(int descriptor, int wait_ms, int waker) {
  pollfd waits[] = {{descriptor, POLLOUT, 0}, {waker, POLLIN, 0}};
  int ready = ::poll(waits, 2, wait_ms);
  while (ready < 0 && errno == EINTR) ready = ::poll(waits, 2, wait_ms);
  return ready > 0 && waits[0].revents != 0;
}

size_t sure_bytes(int descriptor) {
  struct stat about {};
  const bool is_file = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
  return is_file ? kSureBytesOfFile : kSureBytes;
}

// How much of it goes without waiting; 0 also where the kernel can't say (a pipe before Linux 6.4).
size_t write_at_once(int descriptor, std::string_view text) {
  const iovec part{const_cast<char*>(text.data()), text.size()};  // NOLINT(*-const-cast): C's type
  return static_cast<size_t>(
      std::max<ssize_t>(::pwritev2(descriptor, &part, 1, -1, RWF_NOWAIT), 0));
}

}  // namespace

Outlet::Outlet(base::Env env, int descriptor, std::function<bool()> gives_up)
    : env_(std::move(env)),
      descriptor_(descriptor),
      gives_up_(std::move(gives_up)),
      sure_bytes_(sure_bytes(descriptor)) {}

void Outlet::write_some() {
  std::string_view part = std::string_view(left_).substr(written_);
  const size_t gone = write_at_once(descriptor_, part);
  part = part.substr(0, gone > 0 ? gone : sure_bytes_);
  if (gone == 0 && descriptor_ == STDERR_FILENO) base::write_stderr(part);
  if (gone == 0 && descriptor_ != STDERR_FILENO) base::write_stdout(part);
  is_in_line_ = part.back() != '\n';
  written_ += part.size();
  if (written_ < left_.size()) return;
  left_.clear();
  written_ = 0;
}

void Outlet::flush() {
  while (!left_.empty()) {
    const bool waits = !gives_up_();
    const bool ready = is_writable(descriptor_, waits ? kLookEveryMs : 0, base::stop_descriptor());
    if (ready) write_some();
    if (!ready && !waits) return;
  }
}

void Outlet::take(std::string_view text) {
  if (in_actions(env_)) {
    line_ += text;
    const size_t whole = bytes_to_pass(line_);
    left_ += github::unobeyed(line_.substr(0, whole));
    line_.erase(0, whole);
  } else {
    left_ += text;
  }
  flush();
}

void Outlet::tell(std::string_view lines) {
  left_ += lines;
  flush();
}

void Outlet::end(const base::Clock& clock, int64_t wait_ms) {
  left_ += github::unobeyed(std::exchange(line_, ""));
  const int64_t end_ms = clock.monotonic_ms() + wait_ms;
  while (!left_.empty()) {
    const int64_t rest_ms = std::max<int64_t>(end_ms - clock.monotonic_ms(), 0);
    if (!is_writable(descriptor_, static_cast<int>(rest_ms), -1)) {
      throw base::Error(base::exit_local_io,
                        "nobody reads standard output, so a part of it is lost");
    }
    write_some();
  }
}

}  // namespace commands
