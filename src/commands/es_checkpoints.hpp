// es-tail checkpoints: looks at processors' places, and moves them.
#pragma once

#include <string>

#include "commands/options.hpp"
#include "store/checkpoints.hpp"

namespace commands {

// "7", of $all "COMMIT/PREPARE".
std::string place_text(const store::Checkpoint& checkpoint);

int list_checkpoints(const Options& options);
int set_checkpoint(const Options& options);
int reset_checkpoint(const Options& options);

}  // namespace commands
