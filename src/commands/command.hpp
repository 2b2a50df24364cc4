// What main knows of a command.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/env.hpp"

namespace CLI {
class App;
}

namespace commands {

struct Option;
struct Page;

// Does the command's work after parsing; returns the exit code or throws base::Error.
using Run = std::function<int()>;

struct Command {
  const char* name = nullptr;
  const char* summary = nullptr;  // one line
  // Declares the options on the app and returns what to run once they are parsed. Parsing must
  // have no effect but to fill in values: no reading, no sending, no printing.
  Run (*add)(CLI::App& app, const base::Env& env) = nullptr;
  // What is declared, for the manual and for completion: the same table and page as in the help.
  std::vector<Option> (*options)() = nullptr;
  Page (*page)() = nullptr;
  // Rewrites the arguments before they are parsed, for the flags of an older program; may be null.
  // Throws 64.
  std::vector<std::string> (*rewrite)(std::vector<std::string> arguments) = nullptr;
};

}  // namespace commands
