// es-tail --check: the server, what the user may read there, processors and their places.
#pragma once

#include "commands/es_options.hpp"

namespace commands {

// Prints what it finds; the exit code. Takes no event from a group and writes to no file.
int check_es_tail(const Options& options, EsJob job);

}  // namespace commands
