#include "commands/tee.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
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
constexpr size_t kSureBytes = 4'096;  // a pipe that takes anything takes as much at once
constexpr int kMostWaitAfterStopMs = 1'000;

void wait_for_reader() {
  for (;;) {
    const bool stopping = base::stop_asked();
    pollfd waits[] = {{STDOUT_FILENO, POLLOUT, 0},
                      {stopping ? -1 : base::stop_descriptor(), POLLIN, 0}};
    const int ready = ::poll(waits, 2, stopping ? kMostWaitAfterStopMs : -1);
    if (ready > 0 && waits[0].revents != 0) return;
    if (ready == 0) {
      throw base::Error(base::exit_local_io, "nobody reads what --tee copies to standard output");
    }
  }
}

void write(std::string_view text) {
  while (!text.empty()) {
    wait_for_reader();
    base::write_stdout(text.substr(0, kSureBytes));
    text.remove_prefix(std::min(text.size(), kSureBytes));
  }
}

}  // namespace

Tee::Tee(base::Env env) : env_(std::move(env)) {}

void Tee::take(std::string_view text) {
  if (!in_actions(env_)) return write(text);
  held_ += text;
  const bool is_full = held_.size() >= kMostBytesHeld;
  const size_t whole = is_full ? held_.size() : held_.rfind('\n') + 1;  // npos + 1 == 0
  write(github::unobeyed(held_.substr(0, whole)));
  held_.erase(0, whole);
}

void Tee::end() {
  write(github::unobeyed(std::exchange(held_, "")));
}

}  // namespace commands
