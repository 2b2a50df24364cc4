#include "base/signals.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <string>
#include <thread>

#include "base/error.hpp"

namespace {

struct Ended {
  int status = 0;
  std::string errors;
};

// A process of its own that throws on a thread.
template <typename Throw>
Ended after(Throw throws) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    base::exit_on_uncaught();
    std::thread(throws).join();
    ::_exit(0);
  }
  ::close(ends[1]);
  Ended ended;
  char bytes[256];
  for (ssize_t n = 0; (n = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
    ended.errors.append(bytes, static_cast<size_t>(n));
  }
  ::close(ends[0]);
  ::waitpid(child, &ended.status, 0);
  return ended;
}

}  // namespace

TEST_CASE("what nobody catches on a thread ends with 70 and a line, not with a signal") {
  const Ended memory = after([] { throw std::bad_alloc(); });
  REQUIRE(WIFEXITED(memory.status));
  CHECK(WEXITSTATUS(memory.status) == 70);
  CHECK(memory.errors == PRODUCT_NAME ": out of memory; please report this\n");

  const Ended error = after([] { throw base::Error(base::exit_unavailable, "the line is cut"); });
  REQUIRE(WIFEXITED(error.status));
  CHECK(WEXITSTATUS(error.status) == 70);
  CHECK(error.errors == PRODUCT_NAME ": the line is cut; please report this\n");
}
