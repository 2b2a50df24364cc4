#include "base/env.hpp"

#include <cstdlib>

namespace base {

Env process_env() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

bool is_set(const std::string& name) {
  return std::getenv(name.c_str()) != nullptr;
}

}  // namespace base
