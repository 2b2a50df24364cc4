// es-tail checkpoints: looks at processors' places, and moves them.
#pragma once

#include "commands/options.hpp"

namespace commands {

int list_checkpoints(const Options& options);
int set_checkpoint(const Options& options);
int reset_checkpoint(const Options& options);

}  // namespace commands
