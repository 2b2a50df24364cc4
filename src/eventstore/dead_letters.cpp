#include "eventstore/dead_letters.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "eventstore/event_json.hpp"
#include "eventstore/timestamp.hpp"
#include "json/raw.hpp"

namespace eventstore {

namespace {

base::Error failure(const std::string& path) {
  return {base::exit_local_io,
          fmt::format("can't use the dead letters in {}: {}", path, std::strerror(errno))};
}

bool is_same_file(int fd, const std::string& path) {
  struct stat opened = {};
  struct stat named = {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Whole lines or nothing: what a full disk cut off is taken back.
void write_lines(int fd, const std::string& path, std::string_view lines) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  size_t written = 0;
  while (written < lines.size()) {
    const ssize_t some = ::write(fd, lines.data() + written, lines.size() - written);
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) {
      const base::Error error = failure(path);
      static_cast<void>(::ftruncate(fd, size) == 0);  // can't be done to a device
      throw base::Error(error);
    }
    written += static_cast<size_t>(some);
  }
  if (::fsync(fd) != 0 && errno != EINVAL && errno != EROFS) throw failure(path);
}

}  // namespace

std::string dead_letter(const Event& event, const std::string& processor, const std::string& error,
                        int64_t unix_s) {
  std::string failed;
  append_time(unix_s * kTicksPerSecond, failed);
  std::string line;
  append_event_json(event, {{"processor", processor}, {"error", error}, {"failed", failed}}, line);
  return line + "\n";
}

std::string processor_of(std::string_view line) {
  std::string processor;
  try {
    json::each_member(line, "", [&](const json::RawMember& member) {
      if (member.name == "processor") processor = member.string;
    });
  } catch (const base::Error&) {
    return "";
  }
  return processor;
}

void append_dead_letters(const std::string& path, std::string_view lines) {
  while (true) {
    const base::Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (file.fd < 0 || ::flock(file.fd, LOCK_EX) != 0) throw failure(path);
    struct stat kind = {};
    if (::fstat(file.fd, &kind) != 0) throw failure(path);
    // One that was taken away meanwhile is another's now.
    if (S_ISREG(kind.st_mode) && !is_same_file(file.fd, path)) continue;
    write_lines(file.fd, path, lines);
    return;
  }
}

int hold_dead_letters(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return -1;
  if (fd < 0) throw failure(path);
  // Not flock(), by which those that append wait for each other.
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return fd;
  const bool is_taken = errno == EAGAIN || errno == EACCES;
  const base::Error error = failure(path);
  ::close(fd);
  if (!is_taken) throw base::Error(error);
  throw base::Error(base::exit_retries_spent,
                    fmt::format("another replay works on {}: wait for its end", path));
}

int take_dead_letters(const std::string& path, const std::string& new_path) {
  const int fd = hold_dead_letters(path);
  if (fd < 0) return -1;
  const bool is_taken = ::flock(fd, LOCK_EX) == 0 && ::rename(path.c_str(), new_path.c_str()) == 0;
  const base::Error error = failure(path);
  ::flock(fd, LOCK_UN);
  if (is_taken) return fd;
  ::close(fd);
  throw base::Error(error);
}

}  // namespace eventstore
