// es-tail replay: runs the events of a file of dead letters again, each by the processor that could
// not do it. The file keeps what fails again, and what was not come to.
#pragma once

#include "commands/es_source.hpp"
#include "commands/options.hpp"

namespace commands {

// 1 when something is left in the file.
int replay_dead_letters(const Options& options, const OnNotice& on_notice);

}  // namespace commands
