// es-tail's options, and which of them go together.
#pragma once

#include <vector>

#include "commands/help.hpp"
#include "commands/options.hpp"

namespace commands {

inline constexpr const char* kEsTail = "es-tail";

std::vector<Option> es_options();
Page es_help();

// What the first words ask for.
enum class EsJob { tail, process, list, set, reset, replay };

// "checkpoints list", "replay FILE", else a stream or nothing. Throws 64 for options that don't go
// together, or have no effect.
EsJob read_es_job(const Options& options);

}  // namespace commands
