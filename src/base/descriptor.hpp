// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

namespace base {

// Closes what it was given at the end of its scope, but never the three standard streams.
struct Descriptor {
  int fd;
  explicit Descriptor(int descriptor) : fd(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd > STDERR_FILENO) ::close(fd);
  }
};

}  // namespace base
