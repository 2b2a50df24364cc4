#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/random.hpp"
#include "store/board.hpp"
#include "store/checkpoints.hpp"

namespace {

namespace fs = std::filesystem;

// A folder that is gone at the end of the test.
struct Folder {
  std::string path = "/tmp/unit-" + base::random_hex(8);
  std::string file = path + "/c.db";
  Folder() { fs::create_directory(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
};

store::Checkpoint checkpoint_of(const std::string& processor, uint64_t revision) {
  store::Checkpoint checkpoint;
  checkpoint.processor = processor;
  checkpoint.source = "orders";
  checkpoint.revision = revision;
  return checkpoint;
}

// "74 the message" of what opening or reading throws; "" for none.
std::string error_of(const std::string& path, bool reads = false) {
  try {
    if (reads) store::read_checkpoints(path);
    if (!reads) const store::Checkpoints opened(path);
  } catch (const base::Error& error) {
    return std::to_string(error.code()) + " " + error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was, from another opening too") {
  const Folder folder;
  store::Checkpoint whole = checkpoint_of("sales", UINT64_MAX);
  whole.source = std::string("a\0b\xFF", 4);
  whole.commit = UINT64_MAX - 1;
  whole.prepare = (uint64_t{1} << 63U) + 1;
  whole.state = "{\"total\":\"1\"}";
  whole.saved_unix_s = 1'740'000'000'123;
  {
    store::Checkpoints file(folder.file);
    CHECK(!file.find("sales", whole.source));
    file.save(checkpoint_of("sales", 1));
    file.save(whole);
    file.save(checkpoint_of("other", 3));
    file.save(checkpoint_of("other", 4));
    CHECK(!file.find("SALES", "orders"));
  }
  CHECK(!fs::exists(folder.file + "-wal"));
  store::Checkpoints file(folder.file);
  const auto found = file.find("sales", whole.source);
  REQUIRE(found);
  CHECK(found->processor == whole.processor);
  CHECK(found->source == whole.source);
  CHECK(found->revision == whole.revision);
  CHECK(found->commit == whole.commit);
  CHECK(found->prepare == whole.prepare);
  CHECK(found->state == whole.state);
  CHECK(found->saved_unix_s == whole.saved_unix_s);
  CHECK(file.find("other", "orders")->revision == 4);
  CHECK(file.remove("sales") == 2);
  CHECK(file.remove("sales") == 0);
  CHECK(store::read_checkpoints(folder.file).size() == 1);
}

TEST_CASE("a second process is refused while others may read") {
  const Folder folder;
  store::Checkpoints file(folder.file);
  file.save(checkpoint_of("b", 2));
  file.save(checkpoint_of("a", 1));
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool is_refused =
        error_of(folder.file) == "75 another process uses the checkpoint file " + folder.file +
                                     ": end it first, or give this one a file of its own";
    const auto all = store::read_checkpoints(folder.file);
    const bool reads = all.size() == 2 && all[0].processor == "a" && all[1].revision == 2;
    ::_exit(is_refused && reads ? 0 : 1);
  }
  int status = 1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  file.save(checkpoint_of("a", 5));
  CHECK(file.find("a", "orders")->revision == 5);
}

TEST_CASE("what a killed process saved is there, and its lock is not") {
  const Folder folder;
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    store::Checkpoints file(folder.file);
    for (uint64_t i = 1;; ++i) {
      file.save(checkpoint_of("a", i));
      const bool is_told = ::write(ends[1], &i, sizeof i) == sizeof i;
      if (!is_told) ::_exit(1);
    }
  }
  uint64_t told = 0;
  while (told < 20 && ::read(ends[0], &told, sizeof told) > 0) {
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ::close(ends[1]);
  while (::read(ends[0], &told, sizeof told) > 0) {
  }
  ::close(ends[0]);
  CHECK(store::read_checkpoints(folder.file).at(0).revision >= told);
  store::Checkpoints file(folder.file);
  CHECK(file.find("a", "orders")->revision >= told);
}

TEST_CASE("files that can't be used, and what to do") {
  const Folder folder;
  const std::string& path = folder.file;
  const std::string name = "the checkpoint file " + path;
  CHECK(error_of(path, true) == "66 there is no checkpoint file " + path);
  CHECK(error_of(folder.path + "/no/c.db") ==
        "74 can't open the checkpoint file " + folder.path +
            "/no/c.db: No such file or directory; its directory must exist");
  CHECK(error_of(folder.path) == "74 can't open the checkpoint file " + folder.path +
                                     ": Is a directory; give one to write to");
  const std::string damaged = "74 " + name +
                              " is damaged (file is not a database): restore a copy of it, or "
                              "remove it to begin anew";
  for (const std::string& content : {std::string("no"), std::string(5'000, 'x')}) {
    std::ofstream(path) << content;
    CHECK(error_of(path) == damaged);
    CHECK(error_of(path, true) == damaged);
  }
  fs::remove(path);
  store::write_note(path, {"a", "b", "c", 1});
  const std::string other =
      "74 " + name + " holds no checkpoints, but something else: give another file";
  CHECK(error_of(path) == other);
  CHECK(error_of(path, true) == other);
  std::ofstream(path, std::ios::trunc) << "";
  CHECK(error_of(path, true) == "");
  CHECK(error_of(path) == "");
}

TEST_CASE("a file that lost its middle is damaged, not empty") {
  const Folder folder;
  {
    store::Checkpoints file(folder.file);
    store::Checkpoint large = checkpoint_of("", 1);
    large.state.assign(1'000, 'x');  // so that few saves make many pages: each waits for the disk
    for (int i = 0; i < 30; ++i) {
      large.processor = "p" + std::to_string(i);
      file.save(large);
    }
  }
  std::fstream broken(folder.file, std::ios::in | std::ios::out | std::ios::binary);
  broken.seekp(4'096);
  broken << std::string(4'096, 'x');
  broken.close();
  CHECK(error_of(folder.file, true).find(" is damaged (") != std::string::npos);
}

TEST_CASE("without room the old checkpoint stands, and with room again it goes on") {
  const Folder folder;
  store::Checkpoints file(folder.file);
  file.save(checkpoint_of("a", 1));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  rlimit usual = {};
  ::getrlimit(RLIMIT_FSIZE, &usual);
  const rlimit small{1'000, usual.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string error;
  try {
    file.save(checkpoint_of("a", 2));
  } catch (const base::Error& caught) {
    error = std::to_string(caught.code()) + " " + caught.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &usual);
  CHECK(error.starts_with("74 can't "));
  CHECK(error.find(folder.file) != std::string::npos);
  CHECK(file.find("a", "orders")->revision == 1);
  file.save(checkpoint_of("a", 3));
  CHECK(file.find("a", "orders")->revision == 3);
}

TEST_CASE("threads save at once") {
  const Folder folder;
  store::Checkpoints file(folder.file);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&file, i] {
      for (uint64_t n = 0; n < 20; ++n) file.save(checkpoint_of("p" + std::to_string(i), n));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& checkpoint : store::read_checkpoints(folder.file)) {
    CHECK(checkpoint.revision == 19);
  }
}
