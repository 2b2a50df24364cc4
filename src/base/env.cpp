#include "base/env.hpp"

#include <unistd.h>

#include <cstdlib>

namespace base {

Env process_env() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

std::vector<std::string> process_variables() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

bool is_set(const std::string& name) {
  return std::getenv(name.c_str()) != nullptr;
}

}  // namespace base
