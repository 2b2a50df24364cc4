#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "base/look.hpp"

namespace {

namespace fs = std::filesystem;

// A directory of its own for each test case, gone at its end.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "unit_base_look_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }

  std::string make(const char* name, mode_t mode) const {
    const std::string file = (path / name).string();
    std::ofstream(file) << "#!/bin/sh\n";
    ::chmod(file.c_str(), mode);
    return file;
  }
};

std::string found(const std::string& name, const std::string& folders) {
  try {
    return base::find_program(name, [&](const std::string& variable) {
      return variable == "PATH" ? folders : std::string();
    });
  } catch (const base::Error& error) {
    return std::to_string(error.code());
  }
}

int code_of(const std::string& path, bool needs_folder = false) {
  try {
    base::look_writable(path, needs_folder);
    return 0;
  } catch (const base::Error& error) {
    return error.code();
  }
}

}  // namespace

TEST_CASE("a program is found as it would be started") {
  const Folder first;
  const Folder second;
  const std::string plain = first.make("tool", 0644);
  const std::string program = second.make("tool", 0755);
  const std::string folders = first.path.string() + ":" + second.path.string();
  CHECK(found("tool", folders) == program);  // what can't be run is passed over
  CHECK(found(program, "") == program);
  CHECK(found("tool", first.path.string()) == "74");
  CHECK(found(plain, folders) == "74");
  CHECK(found("no-such-tool", folders) == "66");
  CHECK(found(first.path.string() + "/none", "") == "66");
  CHECK(found(plain + "/x", "") == "66");  // a file is no folder
  CHECK(found(first.path.string(), "") == "74");
  CHECK(found("sh", "").ends_with("/sh"));  // the usual folders, without PATH
}

TEST_CASE("what can be written to is told without making it") {
  const Folder folder;
  const std::string file = folder.make("file", 0644);
  CHECK(code_of(file) == 0);
  CHECK(code_of(file, true) == 0);
  const std::string none = (folder.path / "none").string();
  CHECK(code_of(none) == 0);
  CHECK_FALSE(fs::exists(none));
  CHECK(code_of((folder.path / "none/file").string()) == 74);
  CHECK(code_of(file + "/x") == 74);
  CHECK(code_of(folder.path.string()) == 74);  // a folder is no file
  CHECK(code_of("/dev/null") == 0);
}

TEST_CASE("some descriptors may be open") {
  CHECK(base::descriptor_limit() >= 3);
}
