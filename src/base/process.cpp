#include "base/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace base {

namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr int64_t kMostMsForTheEnd = 1'000;
constexpr int64_t kLookAtSilentMs = 5;  // both streams are closed: most likely it is ending

struct Pipe {
  Descriptor reader{-1};
  Descriptor writer{-1};
  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(exit_our_bug, "no pipe is left");
    reader.fd = ends[0];
    writer.fd = ends[1];
  }
};

void close_end(Descriptor& end) {
  if (end.fd > STDERR_FILENO) ::close(end.fd);
  end.fd = -1;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

struct Actions {
  posix_spawn_file_actions_t files = {};
  posix_spawnattr_t attributes = {};
  Actions() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
};

// In a process group of its own, with all signals as usual.
pid_t start(const Program& program, const Pipe& input, const Pipe& output, const Pipe& errors) {
  Actions actions;
  ::posix_spawn_file_actions_adddup2(&actions.files, input.reader.fd, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.files, output.writer.fd, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.files, errors.writer.fd, STDERR_FILENO);
  sigset_t usual;
  ::sigfillset(&usual);
  ::posix_spawnattr_setsigdefault(&actions.attributes, &usual);
  ::sigemptyset(&usual);
  ::posix_spawnattr_setsigmask(&actions.attributes, &usual);
  ::posix_spawnattr_setpgroup(&actions.attributes, 0);
  ::posix_spawnattr_setflags(
      &actions.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> arguments = program.argv;
  std::vector<std::string> environment = program.environment;
  pid_t pid = 0;
  const int failure =
      ::posix_spawnp(&pid, arguments.front().c_str(), &actions.files, &actions.attributes,
                     pointers(arguments).data(), pointers(environment).data());
  if (failure == 0) return pid;
  throw Error(failure == ENOENT ? exit_missing_input : exit_local_io,
              fmt::format("can't run {}: {}", program.argv.front(), std::strerror(failure)));
}

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

// It stays to be waited for, so that no other process can get its number meanwhile.
bool has_ended(pid_t pid) {
  siginfo_t about = {};
  const auto id = static_cast<id_t>(pid);
  return ::waitid(P_PID, id, &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == pid;
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Outcome run_program(const Program& program, const std::function<bool()>& stop) {
  Pipe input;
  Pipe output;
  Pipe errors;
  const pid_t pid = start(program, input, output, errors);
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
  ::kill(-pid, SIGKILL);
  // One that became another user can't be ended; it is not waited for without end.
  const int64_t latest_ms = clock.monotonic_ms() + kMostMsForTheEnd;
  while (!has_ended(pid) && clock.monotonic_ms() < latest_ms) clock.sleep_ms(kLookAtSilentMs);
  int status = SIGKILL;
  ::waitpid(pid, &status, WNOHANG);
  outcome.exit_code = exit_code_of(status);
  return outcome;
}

}  // namespace base
