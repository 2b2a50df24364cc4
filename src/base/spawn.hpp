// How other programs are started: what base/process.cpp and base/child.cpp share.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/descriptor.hpp"

namespace base {

// Throws 70 when no descriptors are left.
struct Pipe {
  Descriptor reader{-1};
  Descriptor writer{-1};
  Pipe();
};

// At once; closing again does nothing.
void close_end(Descriptor& end);

// Starts a program in a process group of its own, with all signals as usual, and with these
// descriptors for its three standard streams. argv[0] is looked up in this process's PATH; the
// environment is all that it gets. Throws 66 when there is no such program, 74 when it can't be
// started.
pid_t start_program(const std::vector<std::string>& argv,
                    const std::vector<std::string>& environment, int input, int output, int errors);

// It stays to be waited for, so that no other process can get its number meanwhile.
bool has_ended(pid_t pid);

// Kills all of its process group, and waits a second at most for its end: one that became another
// user can't be killed. 128 + the signal's number when one ended it.
int end_group(pid_t pid);

}  // namespace base
