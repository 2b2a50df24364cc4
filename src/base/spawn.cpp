#include "base/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace base {

namespace {

constexpr int64_t kMostMsForTheEnd = 1'000;
constexpr int64_t kLookEveryMs = 5;

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

}  // namespace

Pipe::Pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(exit_our_bug, "no pipe is left");
  reader.fd = ends[0];
  writer.fd = ends[1];
}

void close_end(Descriptor& end) {
  if (end.fd > STDERR_FILENO) ::close(end.fd);
  end.fd = -1;
}

pid_t start_program(const std::vector<std::string>& argv,
                    const std::vector<std::string>& environment, int input, int output,
                    int errors) {
  Actions actions;
  ::posix_spawn_file_actions_adddup2(&actions.files, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.files, errors, STDERR_FILENO);
  // libcurl's sockets don't close by themselves.
  ::posix_spawn_file_actions_addclosefrom_np(&actions.files, STDERR_FILENO + 1);
  sigset_t usual;
  ::sigfillset(&usual);
  ::posix_spawnattr_setsigdefault(&actions.attributes, &usual);
  ::sigemptyset(&usual);
  ::posix_spawnattr_setsigmask(&actions.attributes, &usual);
  ::posix_spawnattr_setpgroup(&actions.attributes, 0);
  ::posix_spawnattr_setflags(
      &actions.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> arguments = argv;
  std::vector<std::string> variables = environment;
  pid_t pid = 0;
  const int failure =
      ::posix_spawnp(&pid, arguments.front().c_str(), &actions.files, &actions.attributes,
                     pointers(arguments).data(), pointers(variables).data());
  if (failure == 0) return pid;
  throw Error(failure == ENOENT ? exit_missing_input : exit_local_io,
              fmt::format("can't run {}: {}", argv.front(), std::strerror(failure)));
}

bool has_ended(pid_t pid) {
  siginfo_t about = {};
  const auto id = static_cast<id_t>(pid);
  return ::waitid(P_PID, id, &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == pid;
}

int end_group(pid_t pid) {
  ::kill(-pid, SIGKILL);
  const Clock clock = real_clock();
  const int64_t latest_ms = clock.monotonic_ms() + kMostMsForTheEnd;
  while (!has_ended(pid) && clock.monotonic_ms() < latest_ms) clock.sleep_ms(kLookEveryMs);
  int status = SIGKILL;
  ::waitpid(pid, &status, WNOHANG);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace base
