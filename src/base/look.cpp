#include "base/look.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"

namespace base {

namespace {

constexpr const char* kUsualPath = "/bin:/usr/bin";  // posix_spawnp's, without PATH

// Why it can't be run, as errno has it; nothing when it can.
std::optional<int> fault_of_program(const std::string& path) {
  struct stat about = {};
  if (::stat(path.c_str(), &about) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return EACCES;
  if (::access(path.c_str(), X_OK) != 0) return errno;
  return std::nullopt;
}

Error cant_write(const std::string& path, const char* remedy) {
  return {exit_local_io,
          fmt::format("can't write to {}: {}; {}", path, std::strerror(errno), remedy)};
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string find_program(const std::string& name, const Env& env) {
  std::optional<int> fault = ENOENT;
  if (name.find('/') != std::string::npos) {
    fault = fault_of_program(name);
    if (!fault) return name;
  } else {
    const std::string folders = env("PATH");
    for (const std::string& folder : split(folders.empty() ? kUsualPath : folders, ':')) {
      std::string path = (folder.empty() ? "." : folder) + "/" + name;
      const std::optional<int> here = fault_of_program(path);
      if (!here) return path;
      if (*here == EACCES) fault = here;
    }
  }
  const bool is_missing = *fault == ENOENT || *fault == ENOTDIR;
  throw Error(is_missing ? exit_missing_input : exit_local_io,
              fmt::format("can't run {}: {}; {}", name, std::strerror(*fault),
                          is_missing ? "is it there, from this folder?" : "chmod +x it"));
}

void look_writable(const std::string& path, bool needs_folder) {
  const bool is_there = ::access(path.c_str(), F_OK) == 0;
  struct stat about = {};
  if (is_there && ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) {
    errno = EISDIR;
    throw cant_write(path, "name a file");
  }
  if (is_there && ::access(path.c_str(), W_OK) != 0) {
    throw cant_write(path, "name another, or give the right to write to it");
  }
  if (is_there && !needs_folder) return;
  const std::string folder = folder_of(path);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
  throw cant_write(is_there ? folder : path, "its folder must exist and be writable");
}

uint64_t descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

}  // namespace base
