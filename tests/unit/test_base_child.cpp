#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

#include "base/child.hpp"
#include "base/error.hpp"

namespace {

int64_t now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

// Whether no such process runs any more: it is gone, or nobody has asked for its end yet.
bool is_dead(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string stat;
  std::getline(file, stat);
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

struct Shell {
  base::Child child;
  explicit Shell(const std::string& script) : child({"sh", "-c", script}, {"PATH=/usr/bin:/bin"}) {
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as main does
  }
  // Gives it the input, and reads until there are so many bytes.
  std::string talk(const std::string& input, size_t bytes) {
    std::string output;
    size_t given = 0;
    while (output.size() < bytes || given < input.size()) {
      if (!child.exchange(input, given, output, 20)) break;
    }
    return output;
  }
};

}  // namespace

TEST_CASE("a conversation") {
  Shell shell("exec cat");
  CHECK(shell.talk("one\n", 4) == "one\n");
  CHECK(shell.talk("two\n", 4) == "two\n");
  const std::string big(1'000'000, 'x');
  CHECK(shell.talk(big, big.size()) == big);
  CHECK(shell.child.end(5'000) == 0);
  CHECK(shell.child.end(5'000) == 0);
  CHECK(shell.talk("more", 1) == "");
}

TEST_CASE("a program ends by itself when its input does, and what it still says is read") {
  Shell shell("cat >/dev/null; head -c 500000 /dev/zero; exit 5");
  CHECK(shell.child.end(10'000) == 5);
}

TEST_CASE("a program that does not end is ended with all that it started") {
  struct {
    std::string script;
    int exit_code;
  } const rows[] = {
      {"sleep 100 & echo $!; trap 'exit 7' TERM; wait; wait", 7},
      {"trap '' TERM; sleep 100 & echo $!; wait; sleep 100", 137},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    Shell shell(row.script);
    std::string pid = shell.talk("", 2);
    pid.resize(pid.find('\n'));
    const int64_t begun_ms = now_ms();
    CHECK(shell.child.end(100) == row.exit_code);
    CHECK(now_ms() - begun_ms >= 100);
    CHECK(now_ms() - begun_ms < 5'000);
    for (int i = 0; i < 400 && !is_dead(pid); ++i) ::usleep(5'000);
    CHECK(is_dead(pid));
  }
}

TEST_CASE("the end of a program shows, also when what it started holds its output") {
  Shell closed("exec >&-; exec sleep 100");
  CHECK(closed.talk("", 1) == "");
  CHECK(closed.child.end(0) > 128);
  Shell left("sleep 100 & exit 3");
  CHECK(left.talk("", 1) == "");
  CHECK(left.child.end(0) == 3);
}

TEST_CASE("a program that reads nothing loses its input, and blocks nobody") {
  Shell shell("exec <&-; echo x; sleep 0.05; echo y");
  CHECK(shell.talk("", 2) == "x\n");
  CHECK(shell.talk(std::string(1'000'000, 'x'), 2) == "y\n");
}

TEST_CASE("what can't be started") {
  CHECK_THROWS_WITH_AS(base::Child({"no-such-program-here"}, {}),
                       doctest::Contains("can't run no-such-program-here: "), base::Error);
}
