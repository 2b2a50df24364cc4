// What `--version` prints.
#pragma once

#include <string>

namespace commands {

// "opsbelt 0.1.0" and a line for each linked library with its version.
std::string version_text();

}  // namespace commands
