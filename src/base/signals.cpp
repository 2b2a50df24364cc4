#include "base/signals.hpp"

#include <unistd.h>
#include <csignal>
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

}  // namespace

void exit_on_signals() {
  static_cast<void>(std::signal(SIGINT, end_now));
  static_cast<void>(std::signal(SIGTERM, end_now));
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
}

}  // namespace base
