// es-tail with processors: runs them side by side, each with its own place in the stream.
#pragma once

#include <vector>

#include "commands/es_source.hpp"
#include "commands/options.hpp"
#include "eventstore/processor_file.hpp"

namespace commands {

// The file of --processors.
std::vector<eventstore::ProcessorSpec> read_specs(const Options& options);

int run_processors(const Options& options, const OnNotice& on_notice);

}  // namespace commands
