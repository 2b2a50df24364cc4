// Environment variables as a parameter. Empty means absent, as GitHub passes inputs not given.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace base {

// The value of a variable; "" when it is not set.
using Env = std::function<std::string(const std::string& name)>;

Env process_env();

// All of this process's, "NAME=value".
std::vector<std::string> process_variables();

// True for a variable of this process that is set, if only to nothing.
bool is_set(const std::string& name);

}  // namespace base
