#include "base/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"

namespace base {

namespace {

constexpr size_t kChunk = 65536;

Error failure(ExitCode code, const std::string& what, const std::string& name) {
  return {code, fmt::format("can't {} {}: {}", what, name, std::strerror(errno))};
}

// A file without a name; -1 when the folder takes none.
int unnamed_file(const std::string& folder) {
  if (folder.empty()) return -1;
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = folder + "/" PRODUCT_NAME "-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

int temporary_file(const Env& env) {
  for (const std::string& folder : {env("TMPDIR"), env("RUNNER_TEMP"), std::string("/tmp")}) {
    const int fd = unnamed_file(folder);
    if (fd >= 0) return fd;
  }
  return unnamed_file(".");
}

void write_chunk(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw failure(exit_local_io, "write", "a temporary file");
    data += written;
    size -= static_cast<size_t>(written);
  }
}

// Copies what can be read only once; returns the bytes.
int64_t copy_all(int from, int to, const std::string& name) {
  int64_t bytes = 0;
  char chunk[kChunk];
  for (;;) {
    const ssize_t got = ::read(from, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failure(exit_local_io, "read", name);
    if (got == 0) return bytes;
    write_chunk(to, chunk, static_cast<size_t>(got));
    bytes += got;
  }
}

size_t read_at(int fd, const std::string& name, int64_t offset, char* to, size_t most) {
  for (;;) {
    const ssize_t got = ::pread(fd, to, most, offset);
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0) {
      throw Error(exit_local_io, fmt::format("{} became shorter while it was read", name));
    }
    if (errno != EINTR) throw failure(exit_local_io, "read", name);
  }
}

}  // namespace

Parts open_parts(const std::string& path, const Env& env) {
  const std::string name = path == "-" ? "standard input" : path;
  auto file = std::make_shared<Descriptor>(
      path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about = {};
  if (file->fd < 0 || ::fstat(file->fd, &about) != 0) {
    throw failure(exit_missing_input, "read", name);
  }
  if (S_ISDIR(about.st_mode)) {
    throw Error(exit_missing_input, fmt::format("can't read {}: it is a directory", name));
  }
  int64_t start = path == "-" && S_ISREG(about.st_mode) ? ::lseek(file->fd, 0, SEEK_CUR) : 0;
  int64_t bytes = std::max<int64_t>(about.st_size - start, 0);
  const bool has_size = S_ISREG(about.st_mode) && about.st_size > 0;  // files of /proc tell none
  if (!has_size) {
    start = 0;
    auto copy = std::make_shared<Descriptor>(temporary_file(env));
    if (copy->fd < 0) throw failure(exit_local_io, "make", "a temporary file; set TMPDIR");
    bytes = copy_all(file->fd, copy->fd, name);
    file = copy;
  }
  return {bytes, [file, name, start](int64_t offset, char* to, size_t most) {
            return read_at(file->fd, name, start + offset, to, most);
          }};
}

Came read_some(std::string& to, size_t most, int64_t wait_ms) {
  pollfd waits[] = {{STDIN_FILENO, POLLIN, 0}, {stop_descriptor(), POLLIN, 0}};
  const int limit = static_cast<int>(std::clamp<int64_t>(wait_ms, -1, INT_MAX));
  const int ready = ::poll(waits, 2, limit);
  if (ready < 0 && errno != EINTR) throw failure(exit_local_io, "wait for", "standard input");
  if (ready <= 0 || waits[0].revents == 0) return stop_asked() ? Came::stop : Came::nothing;
  const size_t before = to.size();
  const size_t room = std::min(most, kChunk);
  to.resize(before + room);
  const ssize_t got = ::read(STDIN_FILENO, to.data() + before, room);
  to.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0) return Came::bytes;
  if (got == 0) return Came::end;
  if (errno == EINTR || errno == EAGAIN) return Came::nothing;
  throw failure(exit_local_io, "read", "standard input");
}

}  // namespace base
