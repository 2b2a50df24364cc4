#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "eventstore/pipe.hpp"
#include "eventstore_stage.hpp"

using eventstore_stage::error_of;
using eventstore_stage::event_of;
using eventstore_stage::stage;

namespace {

constexpr int64_t kLongMs = 20'000;

std::vector<eventstore::Event> events_of(const std::vector<std::string>& data) {
  std::vector<eventstore::Event> events;
  for (const std::string& text : data) events.push_back(event_of(text));
  return events;
}

eventstore::Pipe shell(const std::string& script, const eventstore::Surroundings& surroundings,
                       int64_t timeout_ms = kLongMs) {
  return {{"sh", "-c", script}, timeout_ms, surroundings};
}

int64_t now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

// A folder for the files by which a test and its program wait for each other.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "unit_pipe_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

template <typename Condition>
void wait_until(Condition is_so) {
  for (const int64_t end_ms = now_ms() + kLongMs; !is_so() && now_ms() < end_ms;) {
    base::real_clock().sleep_ms(1);
  }
  REQUIRE(is_so());
}

// Whether the process whose number stands in the file has ended, though nobody has asked for it.
bool has_ended(const std::filesystem::path& file) {
  std::string pid;
  std::ifstream(file) >> pid;
  std::string stat;
  std::getline(std::ifstream("/proc/" + pid + "/stat"), stat);
  return stat.find(") Z ") != std::string::npos;
}

}  // namespace

TEST_CASE("answers are taken in order, and what stands behind a problem is not done") {
  struct {
    std::string script;
    std::vector<std::string> data;
    size_t done;
    std::string problem;
  } const rows[] = {
      {"cat", {"ok", "ok 2", "okay"}, 3, ""},
      {"cat", {"ok", "error no\troom", "ok", "error later"}, 1, "no room"},
      {"cat", {"error"}, 0, "it said error"},
      {"cat", {"ok\r", "what", "ok"}, 1, "sh answered neither ok nor error, but: what"},
      {"cat", {"ok", ""}, 1, "sh answered neither ok nor error, but: "},
      {"read -r x; echo ok; exit 3", {"a", "b", "c"}, 1, "sh ended with code 3 after 1 answers"},
      {"exit 0", {"a"}, 0, "sh ended with code 0 after 0 answers"},
      {"read -r x; echo error bad; exit 3", {"a", "b", "c"}, 0, "bad"},
      {"read -r x; printf 'ok\\nok\\n'; exec cat", {"a"}, 1, "sh said, without being asked: ok"},
      {"read -r x; printf ok; exec sleep 9",
       {"a"},
       0,
       "sh gave no answer within 80 ms; does it flush its output after each line?"},
      {"sleep 9 & exit 4", {"a"}, 0, "sh ended with code 4 after 0 answers"},
      {"exec <&-; exec sleep 9",
       {"a"},
       0,
       "sh gave no answer within 80 ms; does it flush its output after each line?"},
      {"exec tr '\\n' x",
       {std::string(70'000, 'a')},
       0,
       "sh answered with more than 65536 bytes in a line"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    CAPTURE(row.problem);
    std::vector<std::string> printed;
    const bool waits = row.problem.find("80 ms") != std::string::npos;
    auto pipe = shell(row.script, stage(printed), waits ? 80 : kLongMs);
    std::string problem;
    const size_t done = pipe.process_all(events_of(row.data), problem);
    CHECK(done == row.done);
    CHECK(problem == row.problem);
  }
}

TEST_CASE("a program is one for many events, and is started anew when it has ended") {
  std::vector<std::string> printed;
  // Counts its events; ends at the third.
  auto pipe =
      shell("n=0; while read -r x; do n=$((n+1)); [ $n = 3 ] && exit 9; echo \"error $n\"; done",
            stage(printed));
  const auto event = event_of("x");
  CHECK(error_of(pipe, event) == "65 1");
  CHECK(error_of(pipe, event) == "65 2");
  CHECK(error_of(pipe, event) == "65 sh ended with code 9 after 2 answers");
  CHECK(error_of(pipe, event) == "65 1");
}

TEST_CASE("a program that ends after its answer is started anew without a word") {
  std::vector<std::string> printed;
  const Folder folder;
  const auto pid = folder.path / "pid";
  auto pipe = shell("read -r x; echo $$ >" + pid.string() + "; echo ok", stage(printed));
  for (int i = 0; i < 3; ++i) {
    CHECK(error_of(pipe, event_of("x")) == "");
    wait_until([&] { return has_ended(pid); });
  }
}

TEST_CASE("a program that talks out of turn is not trusted") {
  std::vector<std::string> printed;
  const Folder folder;
  const auto go = folder.path / "go";
  const auto said = folder.path / "said";
  auto pipe = shell("read -r x; echo ok; until [ -e " + go.string() + " ]; do sleep 0.001; done; " +
                        "echo ok; : >" + said.string() + "; exec cat",
                    stage(printed));
  CHECK(error_of(pipe, event_of("x")) == "");
  std::ofstream{go};
  wait_until([&] { return std::filesystem::exists(said); });
  CHECK(error_of(pipe, event_of("x")) == "65 sh said, without being asked: ok");
  CHECK(error_of(pipe, event_of("x")) == "");
}

TEST_CASE("more than pipes hold, both ways, blocks nobody") {
  std::vector<std::string> printed;
  auto pipe = shell("exec cat", stage(printed));
  const auto events = events_of(std::vector<std::string>(300, "ok" + std::string(30'000, 'x')));
  std::string problem;
  CHECK(pipe.process_all(events, problem) == 300);
  CHECK(problem == "");
}

TEST_CASE("a stop gives it a moment for what it owes, and no more events") {
  std::vector<std::string> printed;
  auto surroundings = stage(printed);
  int64_t stopped_ms = 0;
  surroundings.stop = [&] {
    if (stopped_ms == 0) stopped_ms = now_ms();
    return true;
  };
  auto pipe = shell("sleep 0.1; exec cat", surroundings);
  std::string problem;
  const auto events = events_of(std::vector<std::string>(100, "ok" + std::string(30'000, 'x')));
  const size_t done = pipe.process_all(events, problem);
  CHECK(done > 0);
  CHECK(done < 100);
  CHECK(problem == "a stop was asked for");
}

TEST_CASE("a program that is not there is no event's fault") {
  std::vector<std::string> printed;
  eventstore::Pipe pipe({"no-such-program-here"}, kLongMs, stage(printed));
  CHECK(error_of(pipe, event_of("x")).starts_with("66 can't run no-such-program-here: "));
}
