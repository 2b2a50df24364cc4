#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"

namespace {

namespace fs = std::filesystem;

// A directory of its own for each test case, gone at its end.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "unit_base_file_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }

  std::string file(const std::string& name) const { return (path / name).string(); }
  std::string file_with(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
};

// Puts another file behind a standard descriptor until its scope ends.
struct Redirect {
  int descriptor;
  int saved;
  Redirect(int standard, int other) : descriptor(standard), saved(::dup(standard)) {
    std::cout.flush();
    REQUIRE(::dup2(other, descriptor) == descriptor);
    ::close(other);
  }
  Redirect(const Redirect&) = delete;
  Redirect& operator=(const Redirect&) = delete;
  ~Redirect() {
    ::dup2(saved, descriptor);
    ::close(saved);
  }
};

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// "CODE TEXT" of the error, "" when there was none.
template <typename Act>
std::string error_of(const Act& act) {
  try {
    act();
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
  return "";
}

std::string read_error(const std::string& path, size_t max_bytes) {
  return error_of([&] { base::read_file(path, max_bytes, "the event"); });
}

std::string append_error(const std::string& path) {
  return error_of([&] { base::append_to_file(path, "x"); });
}

}  // namespace

TEST_CASE("a file is read byte for byte") {
  const Folder folder;
  const std::string texts[] = {
      "",
      "one line\n",
      "no line break at the end",
      std::string("\0\xFF\r\n\x1A\0", 6),
      std::string(200'000, 'x'),  // several reads
  };
  for (const std::string& text : texts) {
    CAPTURE(text.size());
    const std::string path = folder.file_with("in", text);
    CHECK(base::read_file(path, 1'000'000, "the event") == text);
  }
}

TEST_CASE("a file may be as long as the limit and not a byte longer") {
  const Folder folder;
  const std::string path = folder.file_with("in", std::string(70'000, 'x'));
  CHECK(base::read_file(path, 70'000, "the event").size() == 70'000);
  CHECK(read_error(path, 69'999).starts_with("65 "));
  CHECK(read_error(path, 0).starts_with("65 "));
  CHECK(base::read_file(folder.file_with("empty", ""), 0, "the event").empty());
}

TEST_CASE("what can't be read has code 66 and is named in the error") {
  const Folder folder;
  struct {
    std::string what;
    std::string path;
    std::string code;
  } const rows[] = {
      {"missing", folder.file("nowhere"), "66 "},
      {"in a missing directory", folder.file("no/where"), "66 "},
      {"below a file", folder.file_with("plain", "x") + "/below", "66 "},
      {"a directory", folder.path.string(), "66 "},
      {"an empty name", "", "66 "},
      {"over the limit", folder.file_with("long", "12345"), "65 "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const std::string error = read_error(row.path, 4);
    CAPTURE(error);
    CHECK(error.starts_with(row.code));
    CHECK(error.find("the event") != std::string::npos);
    CHECK(error.find(row.path) != std::string::npos);
    CHECK(error.find('\n') == std::string::npos);
  }
}

TEST_CASE("reading that fails half way has code 74") {
  // Nothing is mapped at address 0, so that the kernel answers EIO to the first read.
  CHECK(read_error("/proc/self/mem", 10).starts_with("74 "));
}

TEST_CASE("a dash means standard input, with the same limit") {
  const Folder folder;
  const std::string path = folder.file_with("in", "from a pipe\n");
  {
    const Redirect redirect(STDIN_FILENO, ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    CHECK(base::read_file("-", 100, "the event") == "from a pipe\n");
    CHECK(base::read_file("-", 100, "the event").empty());  // at its end, and still open
  }
  const Redirect redirect(STDIN_FILENO, ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string error = read_error("-", 11);
  CHECK(error.starts_with("65 "));
  CHECK(error.find("standard input") != std::string::npos);
}

TEST_CASE("appending creates a file and keeps what is in it") {
  const Folder folder;
  const std::string path = folder.file("out");
  base::append_to_file(path, "one\n");
  base::append_to_file(path, "");
  base::append_to_file(path, std::string("\0two\n", 5));
  CHECK(content(path) == std::string("one\n\0two\n", 9));
}

TEST_CASE("appending that fails has code 74 and names the file") {
  const Folder folder;
  for (const std::string& path :
       {std::string("/dev/full"), folder.path.string(), folder.file("no/where"), std::string()}) {
    CAPTURE(path);
    const std::string error = append_error(path);
    CAPTURE(error);
    CHECK(error.starts_with("74 "));
    CHECK(error.find(path) != std::string::npos);
  }
}

TEST_CASE("standard output gets all of a text at once") {
  const Folder folder;
  const std::string path = folder.file("out");
  const std::string text = std::string(300'000, 'x') + "\n";
  {
    const Redirect redirect(STDOUT_FILENO,
                            ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    base::write_stdout(text);
    base::write_stdout("");
  }
  CHECK(content(path) == text);
}

TEST_CASE("a full disk and a closed pipe behind standard output have code 74") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  std::string closed_pipe;
  {
    const Redirect redirect(STDOUT_FILENO, ends[1]);
    closed_pipe = error_of([] { base::write_stdout("x"); });
  }
  std::signal(SIGPIPE, handler);
  std::string full_disk;
  {
    const Redirect redirect(STDOUT_FILENO, ::open("/dev/full", O_WRONLY | O_CLOEXEC));
    full_disk = error_of([] { base::write_stdout("x"); });
  }
  CHECK(closed_pipe.starts_with("74 "));
  CHECK(full_disk.starts_with("74 "));
}

TEST_CASE("a failure of standard error is nobody's error") {
  const Redirect redirect(STDERR_FILENO, ::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK_NOTHROW(base::write_stderr("x"));
}
