#include "base/signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <new>
#include <string_view>

#include "base/error.hpp"

namespace base {

namespace {

constexpr std::string_view kLine = PRODUCT_NAME ": interrupted\n";

// Only calls what POSIX allows in a handler.
void end_now(int /*signal*/) {
  const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
  static_cast<void>(written);  // nobody is left to be told
  ::_exit(exit_interrupted);
}

// The last signal. Atomic, as the handler may run on any thread; without a lock, as it is one.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a handler has nothing else
std::atomic<int> asked = 0;
static_assert(std::atomic<int>::is_always_lock_free);
int wake_up[2] = {-1, -1};  // a pipe; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void ask(int signal) {
  if (asked == SIGINT && signal == SIGINT) end_now(signal);
  asked = signal;
  const ssize_t written = ::write(wake_up[1], "x", 1);
  static_cast<void>(written);  // the pipe is full: it is readable all the same
}

}  // namespace

void exit_on_signals() {
  static_cast<void>(std::signal(SIGINT, end_now));
  static_cast<void>(std::signal(SIGTERM, end_now));
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGCHLD, SIG_DFL));  // else nobody is told how a program ended
}

void exit_on_uncaught() {
  std::set_terminate([] {
    const char* what = "something was thrown that is no error";
    try {
      if (const std::exception_ptr thrown = std::current_exception())
        std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      what = "out of memory";
    } catch (const std::exception& error) {
      what = error.what();
    } catch (...) {  // NOLINT(bugprone-empty-catch): said above
    }
    for (const std::string_view part : {std::string_view(PRODUCT_NAME ": "), std::string_view(what),
                                        std::string_view("; please report this\n")}) {
      if (::write(STDERR_FILENO, part.data(), part.size()) < 0) break;
    }
    ::_exit(exit_our_bug);
  });
}

void stop_on_signals() {
  if (::pipe2(wake_up, O_CLOEXEC | O_NONBLOCK) != 0) throw Error(exit_our_bug, "no pipe is left");
  static_cast<void>(std::signal(SIGINT, ask));
  static_cast<void>(std::signal(SIGTERM, ask));
  if (std::signal(SIGHUP, ask) == SIG_IGN)
    static_cast<void>(std::signal(SIGHUP, SIG_IGN));  // nohup
}

bool stop_asked() {
  return asked != 0;
}

int stop_descriptor() {
  return wake_up[0];
}

}  // namespace base
