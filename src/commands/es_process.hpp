// es-tail with processors: runs them side by side, each with its own place in the stream.
#pragma once

#include "commands/es_source.hpp"
#include "commands/options.hpp"

namespace commands {

int run_processors(const Options& options, const OnNotice& on_notice);

// es-tail replay: runs the events of a file of dead letters again, each by the processor that could
// not do it. The file keeps what fails again, and what was not come to.
int replay_dead_letters(const Options& options);

}  // namespace commands
