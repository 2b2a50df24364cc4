// es-tail: prints the events of a stream, or runs processors on them.
#pragma once

#include "base/env.hpp"
#include "commands/command.hpp"

namespace commands {

Run add_es_tail(CLI::App& app, const base::Env& env);

}  // namespace commands
