#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/process.hpp"

namespace {

constexpr int64_t kLongMs = 20'000;  // a test that takes that long has failed

bool never() {
  return false;
}

base::Program program_of(std::vector<std::string> argv, const std::string& input = "") {
  base::Program program;
  program.argv = std::move(argv);
  program.environment = {"PATH=/usr/bin:/bin"};
  program.input = input;
  program.timeout_ms = kLongMs;
  return program;
}

base::Program shell(const std::string& script, const std::string& input = "") {
  return program_of({"sh", "-c", script}, input);
}

base::Outcome run(const base::Program& program) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as main does
  return base::run_program(program, never);
}

int64_t now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

size_t open_descriptors() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0U : 1U;
  }
  return count;
}

// Whether no such process runs any more: it is gone, or nobody has asked for its end yet.
bool is_dead(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string stat;
  std::getline(file, stat);
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

bool dies(const std::string& pid) {
  for (int i = 0; i < 1'000 && !is_dead(pid); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return is_dead(pid);
}

// The first line.
std::string line_of(const std::string& output) {
  return output.substr(0, output.find('\n'));
}

}  // namespace

TEST_CASE("arguments arrive byte for byte, through no shell") {
  std::string bytes;
  for (int c = 1; c < 256; ++c) bytes += static_cast<char>(c);
  const auto outcome = run(program_of({"printf", "[%s]", "", "a b", "$HOME `x` $(x) * ~", "-n",
                                       "--", "\"'\\", "\n", "\xC3\xA4", "%s", bytes}));
  CHECK(outcome.output ==
        "[][a b][$HOME `x` $(x) * ~][-n][--][\"'\\][\n][\xC3\xA4][%s][" + bytes + "]");
  CHECK(outcome.errors == "");
  CHECK(outcome.exit_code == 0);
  CHECK(!outcome.timed_out);
  CHECK(!outcome.cut);
}

TEST_CASE("a program has no variables but those it is given") {
  auto program = program_of({"env"});
  program.environment = {"A=1", "B=a b=c", "EMPTY="};
  CHECK(run(program).output == "A=1\nB=a b=c\nEMPTY=\n");
  program.environment = {};
  CHECK(run(program).output == "");
}

TEST_CASE("exit codes, and signals as 128 and their number") {
  struct {
    std::string script;
    int exit_code;
  } const rows[] = {
      {"exit 0", 0},
      {"exit 1", 1},
      {"exit 255", 255},
      {"exit 137", 137},
      {"kill -KILL $$", 137},
      {"kill -TERM $$", 143},
      {"kill -PIPE $$", 141},  // this process
                               // ignores it, the
                               // program does not
      {"kill -INT $$", 130},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    const auto outcome = run(shell(row.script));
    CHECK(outcome.exit_code == row.exit_code);
    CHECK(!outcome.timed_out);
  }
}

TEST_CASE("standard output and standard error are kept apart, zero bytes too") {
  const auto outcome = run(shell("printf 'o\\000u'; printf 'e\\377r' >&2; exit 3"));
  CHECK(outcome.output == std::string("o\0u", 3));
  CHECK(outcome.errors == "e\xFFr");
  CHECK(outcome.exit_code == 3);
}

TEST_CASE("what can't be run") {
  struct {
    std::string name;
    base::ExitCode code;
  } const rows[] = {
      {"no-such-program-here", base::exit_missing_input},
      {"./no/such/program", base::exit_missing_input},
      {"", base::exit_missing_input},
      {"/dev/null", base::exit_local_io},  // not executable
      {"/", base::exit_local_io},
  };
  const size_t before = open_descriptors();
  for (const auto& row : rows) {
    CAPTURE(row.name);
    try {
      run(program_of({row.name, "x"}, "input"));
      FAIL("it ran");
    } catch (const base::Error& error) {
      CHECK(error.code() == row.code);
      CHECK(std::string(error.what()).starts_with("can't run " + row.name + ": "));
    }
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("arguments that are too long are an error, not a crash") {
  CHECK_THROWS_AS(run(program_of({"true", std::string(4'000'000, 'x')})), base::Error);
}

// --- Input ---

TEST_CASE("input arrives whole, and has an end") {
  std::string big;
  for (int i = 0; i < 60'000; ++i) big += std::to_string(i) + "\n";
  auto program = program_of({"cat"}, big);
  program.most_output_bytes = big.size();
  const auto outcome = run(program);
  CHECK(outcome.output == big);
  CHECK(!outcome.cut);
  CHECK(run(program_of({"cat"}, std::string("a\0b", 3))).output == std::string("a\0b", 3));
  CHECK(run(program_of({"cat"})).output == "");
}

TEST_CASE("big input to a program that does not read it") {
  const std::string big(5'000'000, 'x');
  for (const std::string script :
       {"exit 4", "exec 0<&-; echo; exit 4", "head -c 10 >&2; exit 4", "sleep 0.02; exit 4"}) {
    CAPTURE(script);
    const auto outcome = run(shell(script, big));
    CHECK(outcome.exit_code == 4);
    CHECK(!outcome.timed_out);
  }
}

// --- Output ---

TEST_CASE("no more output is kept than allowed, and that is told") {
  struct {
    size_t most;
    std::string output;
    bool cut;
  } const rows[] = {
      {7, "123456\n", false}, {6, "123456", true},    {1, "1", true},
      {0, "", true},          {8, "123456\n", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.most);
    auto program = shell("echo 123456");
    program.most_output_bytes = row.most;
    const auto outcome = run(program);
    CHECK(outcome.output == row.output);
    CHECK(outcome.cut == row.cut);
    CHECK(outcome.exit_code == 0);
  }
}

TEST_CASE("both streams flooded at once block nobody") {
  auto program = shell("head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait; exit 5",
                       std::string(1'000'000, 'x'));
  program.most_output_bytes = 1'000;
  const auto outcome = run(program);
  CHECK(outcome.output.size() == 1'000);
  CHECK(outcome.errors.size() == 1'000);
  CHECK(outcome.cut);
  CHECK(outcome.exit_code == 5);
}

TEST_CASE("a program that closes its streams and goes on is waited for") {
  const int64_t begun_ms = now_ms();
  const auto outcome = run(shell("echo a; exec >&- 2>&-; sleep 0.05; exit 6"));
  CHECK(outcome.output == "a\n");
  CHECK(outcome.exit_code == 6);
  CHECK(!outcome.timed_out);
  CHECK(now_ms() - begun_ms < kLongMs / 2);
}

// --- The end ---

TEST_CASE("a program that takes too long is killed with all its children") {
  auto program = shell("trap '' TERM HUP; sleep 100 & echo $!; echo begun >&2; sleep 100");
  program.timeout_ms = 60;
  const int64_t begun_ms = now_ms();
  const auto outcome = run(program);
  CHECK(outcome.timed_out);
  CHECK(outcome.exit_code == 137);
  CHECK(outcome.errors == "begun\n");
  CHECK(now_ms() - begun_ms >= 60);
  CHECK(now_ms() - begun_ms < kLongMs / 2);
  REQUIRE(line_of(outcome.output) != "");
  CHECK(dies(line_of(outcome.output)));
}

TEST_CASE("output without end ends with the time") {
  auto program = program_of({"yes"});
  program.timeout_ms = 30;
  program.most_output_bytes = 10;
  const auto outcome = run(program);
  CHECK(outcome.timed_out);
  CHECK(outcome.cut);
  CHECK(outcome.output == "y\ny\ny\ny\ny\n");
}

TEST_CASE("children left behind are killed when the program has ended") {
  const int64_t begun_ms = now_ms();
  const auto outcome = run(shell("sleep 100 & echo $!; exit 7"));
  CHECK(outcome.exit_code == 7);
  CHECK(!outcome.timed_out);
  CHECK(now_ms() - begun_ms < kLongMs / 2);
  CHECK(dies(line_of(outcome.output)));
}

TEST_CASE("a child that left the group, and holds the output open, is not waited for") {
  auto program = shell(
      "setsid sleep 3 & until [ \"$(cut -d' ' -f6 /proc/$!/stat)\" = $! ]; do :; done; echo $!;"
      "exit 8");
  program.timeout_ms = 2'000;
  const auto outcome = run(program);
  CHECK(!outcome.timed_out);
  CHECK(outcome.exit_code == 8);
  const std::string pid = line_of(outcome.output);
  REQUIRE(pid != "");
  ::kill(std::stoi(pid), SIGKILL);
}

TEST_CASE("stop ends a program at once") {
  int asked = 0;
  const auto at_third = [&] { return ++asked == 3; };
  const int64_t begun_ms = now_ms();
  const auto outcome = base::run_program(shell("echo $$; exec sleep 100"), at_third);
  CHECK(outcome.timed_out);
  CHECK(outcome.exit_code == 137);
  CHECK(asked == 3);
  CHECK(now_ms() - begun_ms < 2'000);
  const auto before_it_began = base::run_program(shell("sleep 100"), [] { return true; });
  CHECK(before_it_began.timed_out);
  CHECK(before_it_began.exit_code == 137);
}

TEST_CASE("no descriptors and no processes are left") {
  const size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    const auto outcome = run(shell("echo $$; cat >/dev/null", "input"));
    CHECK(is_dead(line_of(outcome.output)));
    CHECK(!std::filesystem::exists("/proc/" + line_of(outcome.output)));  // no zombie
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("programs of several threads do not hold each other's pipes") {
  std::vector<std::thread> threads;
  std::vector<std::string> outputs(4);
  for (size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&outputs, i] {
      for (int turn = 0; turn < 5; ++turn) {
        outputs[i] += run(program_of({"cat"}, std::to_string(i))).output;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < outputs.size(); ++i) {
    CHECK(outputs[i] == std::string(5, static_cast<char>('0' + i)));
  }
}
