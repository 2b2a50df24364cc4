// Looks at what a file, a program or this process would allow, and touches nothing.
// Sources: access(2), getrlimit(2), posix_spawnp(3).
#pragma once

#include <cstdint>
#include <string>

#include "base/env.hpp"

namespace base {

// Where a program is that would be started by this name: as it is when it has a slash, else the
// first in PATH that can be run. Throws 66 when there is none, 74 for one that can't be run: the
// codes of start_program().
std::string find_program(const std::string& name, const Env& env);

// Whether the file can be written to, or made when it is not there. needs_folder: its folder must
// be writable in any case, as for a database that keeps its journal there. Throws 74.
void look_writable(const std::string& path, bool needs_folder = false);

// How many descriptors this process may open; with a right to raise the limit, the higher one.
uint64_t descriptor_limit();

}  // namespace base
