#include "base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/clock.hpp"
#include "base/spawn.hpp"

namespace base {

namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr int64_t kLookAtSilentMs = 5;  // both streams are closed: most likely it is ending

// Appends what there is, up to the limit; what is over it is read and dropped. False at the end.
bool take(int fd, std::string& text, Outcome& outcome, size_t most_bytes) {
  char chunk[65536];
  const ssize_t got = ::read(fd, chunk, sizeof chunk);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  const size_t room = most_bytes - std::min(most_bytes, text.size());
  text.append(chunk, std::min(room, static_cast<size_t>(got)));
  outcome.cut = outcome.cut || static_cast<size_t>(got) > room;
  return got > 0;
}

// Writes some of the input; false when there is nothing left to write, or nobody reads it.
bool give(int fd, const std::string& input, size_t& given) {
  const ssize_t written = ::write(fd, input.data() + given, input.size() - given);
  if (written < 0) return errno == EINTR || errno == EAGAIN;
  given += static_cast<size_t>(written);
  return given < input.size();
}

}  // namespace

Outcome run_program(const Program& program, const std::function<bool()>& stop) {
  Pipe input;
  Pipe output;
  Pipe errors;
  const pid_t pid = start_program(program.argv, program.environment, input.reader.fd,
                                  output.writer.fd, errors.writer.fd);
  close_end(input.reader);
  close_end(output.writer);
  close_end(errors.writer);
  ::fcntl(input.writer.fd, F_SETFL, O_NONBLOCK);
  if (program.input.empty()) close_end(input.writer);

  const Clock clock = real_clock();
  const int64_t end_ms = clock.monotonic_ms() + program.timeout_ms;
  Outcome outcome;
  size_t given = 0;
  bool ended = false;
  while (!ended || output.reader.fd >= 0 || errors.reader.fd >= 0) {
    const int64_t left_ms = end_ms - clock.monotonic_ms();
    outcome.timed_out = left_ms <= 0 || stop();
    if (outcome.timed_out) break;
    if (!ended && has_ended(pid)) {
      ended = true;
      ::kill(-pid, SIGKILL);  // what it left behind would keep the pipes open
    }
    pollfd waits[] = {{output.reader.fd, POLLIN, 0},
                      {errors.reader.fd, POLLIN, 0},
                      {input.writer.fd, POLLOUT, 0}};
    const bool is_silent = output.reader.fd < 0 && errors.reader.fd < 0;
    const int64_t look_ms = is_silent ? kLookAtSilentMs : kLookEveryMs;
    const int64_t wait_ms = ended ? 0 : std::min(left_ms, look_ms);
    const int ready = ::poll(waits, 3, static_cast<int>(wait_ms));
    if (ended && ready == 0) break;  // who holds the pipes now has left its process group
    const bool has_output = waits[0].revents != 0;
    const bool has_errors = waits[1].revents != 0;
    if (has_output && !take(output.reader.fd, outcome.output, outcome, program.most_output_bytes)) {
      close_end(output.reader);
    }
    if (has_errors && !take(errors.reader.fd, outcome.errors, outcome, program.most_output_bytes)) {
      close_end(errors.reader);
    }
    if (waits[2].revents != 0 && !give(input.writer.fd, program.input, given)) {
      close_end(input.writer);
    }
  }
  outcome.exit_code = end_group(pid);
  return outcome;
}

}  // namespace base
