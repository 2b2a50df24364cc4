#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace base {

namespace {

// Returns 0, or the errno of the write that failed.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

void write_file(const std::string& path, int how, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644));
  const int failure = file.fd < 0 ? errno : write_all(file.fd, text);
  if (failure != 0) {
    throw Error(exit_local_io, fmt::format("can't write to {}: {}", path, std::strerror(failure)));
  }
}

}  // namespace

std::string read_file(const std::string& path, size_t max_bytes, const std::string& what) {
  const std::string name = path == "-" ? "standard input" : path;
  const Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) {
    throw Error(exit_missing_input,
                fmt::format("can't read {} from {}: {}", what, name, std::strerror(errno)));
  }
  std::string text;
  char chunk[65536];
  for (;;) {
    const ssize_t got = ::read(file.fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const ExitCode code = errno == EISDIR ? exit_missing_input : exit_local_io;
      throw Error(code, fmt::format("can't read {} from {}: {}", what, name, std::strerror(errno)));
    }
    if (got == 0) return text;
    text.append(chunk, static_cast<size_t>(got));
    if (text.size() > max_bytes) {
      throw Error(exit_bad_input, fmt::format("{} in {} is larger than {} MiB, the most it may be",
                                              what, name, max_bytes >> 20));
    }
  }
}

void append_to_file(const std::string& path, std::string_view text) {
  write_file(path, O_APPEND, text);
}

void replace_file(const std::string& path, std::string_view text) {
  write_file(path, O_TRUNC, text);
}

void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    const bool is_closed = ::fcntl(fd, F_GETFD) < 0;
    if (is_closed) ::open("/dev/null", O_RDWR);  // takes the lowest free number, which is fd
  }
}

void write_stdout(std::string_view text) {
  const int failure = write_all(STDOUT_FILENO, text);
  if (failure != 0) {
    throw Error(exit_local_io,
                fmt::format("can't write to standard output: {}", std::strerror(failure)));
  }
}

void write_stderr(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

}  // namespace base
