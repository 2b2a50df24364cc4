#include "eventstore/dead_letters.hpp"

#include <thread>

#include "base/file.hpp"
#include "eventstore/event_json.hpp"
#include "eventstore/file_source.hpp"
#include "eventstore_runner_stage.hpp"

using namespace eventstore_runner_stage;
using eventstore_server::drain;

namespace {

constexpr size_t kMostBytes = size_t{1} << 20U;

void write(const std::string& path, const std::string& text) {
  eventstore::append_dead_letters(path, text);
}

std::string line_of(uint64_t revision) {
  std::string line;
  eventstore::append_event_json(event_of(revision), line);
  return line + "\n";
}

}  // namespace

TEST_CASE("a dead letter is a line that can be read again, with whose it is and why") {
  Event event = event_of(7);
  event.data = "\xFF\x00 no text";
  event.link = {"links", 9, {}, "id"};
  const std::string line =
      eventstore::dead_letter(event, "p \"1\"", "no\nroom \xFF", 1'700'000'000);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(line.find("2023-11-14T22:13:20") != std::string::npos);
  CHECK(eventstore::processor_of(line) == "p \"1\"");
  const Event read = eventstore::read_event_json(line, "here");
  CHECK(read.revision == 7);
  CHECK(read.data == event.data);
  REQUIRE(read.link);
  CHECK(read.link->revision == 9);
}

TEST_CASE("lines of nobody") {
  for (const char* line :
       {"", "{", "[]", "no JSON", "{}", R"({"processor":5})", R"({"a":{"processor":"x"}})"}) {
    CAPTURE(line);
    CHECK(eventstore::processor_of(line).empty());
  }
}

TEST_CASE("several threads append whole lines") {
  const Folder folder;
  const std::string path = folder.path + "/bad.jsonl";
  std::vector<std::thread> threads;
  for (char name : {'a', 'b', 'c'}) {
    threads.emplace_back([&path, name] {
      for (int i = 0; i < 20; ++i) write(path, std::string(500, name) + "\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = base::split(base::read_file(path, kMostBytes, "it"), '\n');
  CHECK(lines.size() == 61);
  for (const std::string& line : lines) CHECK((line.empty() || line == std::string(500, line[0])));
}

TEST_CASE("where no letter can be written the reason is told") {
  const Folder folder;
  const auto error_of = [](const std::string& path) -> std::string {
    try {
      write(path, "x\n");
    } catch (const base::Error& error) {
      return fmt::format("{} {}", static_cast<int>(error.code()), error.what());
    }
    return "";
  };
  CHECK(error_of(folder.path) ==
        "74 can't use the dead letters in " + folder.path + ": Is a directory");
  CHECK(error_of("/dev/full") ==
        "74 can't use the dead letters in /dev/full: No space left on device");
}

TEST_CASE("a file's events, and the line as their place") {
  const Folder folder;
  const std::string path = folder.path + "/events.jsonl";
  struct {
    std::string text;
    Place from;
    std::string came;
    uint64_t line;
  } const rows[] = {
      {"", {}, "end", 0},
      {"\n \r\n", {}, "end", 2},
      {line_of(5) + "\n" + line_of(6), {}, "5 6 end", 3},
      {line_of(5) + line_of(6).substr(0, line_of(6).size() - 1), {}, "5 6 end", 2},
      {line_of(5) + line_of(6) + line_of(7), after(1), "6 7 end", 3},
      {line_of(5) + "\n" + line_of(6), after(2), "6 end", 3},
      {line_of(5), after(1), "end", 1},
      {line_of(5) + "{}\n" + line_of(6), after(2), "6 end", 3},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::filesystem::remove(path);
    write(path, row.text);
    eventstore::FileSource events(path, row.from);
    CHECK(drain(events, 9) == row.came);
    CHECK(text_of(events.place()) == std::to_string(row.line));
  }
}

TEST_CASE("a line that is no event is told by its number, the file by its name") {
  const Folder folder;
  const std::string path = folder.path + "/events.jsonl";
  write(path, line_of(5) + "no\n");
  eventstore::FileSource events(path, {});
  CHECK(drain(events, 9).starts_with("5 65 " + path + ": line 2"));
  for (const std::string& missing : {folder.path, folder.path + "/none"}) {
    CHECK_THROWS_WITH_AS(eventstore::FileSource(missing, {}), doctest::Contains(missing.c_str()),
                         base::Error);
  }
}

TEST_CASE("of dead letters only those of one processor are given") {
  const Folder folder;
  const std::string path = folder.path + "/bad.jsonl";
  for (uint64_t i = 1; i <= 4; ++i) {
    write(path, eventstore::dead_letter(event_of(i), i % 2 == 0 ? "even" : "odd", "no", 0));
  }
  write(path, "no letter\n");
  eventstore::FileSource even(path, {}, "even");
  CHECK(drain(even, 9) == "2 4 end");
  eventstore::FileSource none(path, {}, "none");
  CHECK(drain(none, 9) == "end");
}
