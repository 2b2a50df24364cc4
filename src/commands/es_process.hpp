// es-tail with processors: runs them side by side, each with its own place in the stream.
#pragma once

#include <vector>

#include "commands/es_source.hpp"
#include "commands/options.hpp"
#include "eventstore/processor_file.hpp"

namespace commands {

// The file of --processors.
std::vector<eventstore::ProcessorSpec> read_specs(const Options& options);

// Throws 64 and 78 for processors that can't run so.
void check_together(const Options& options, const std::vector<eventstore::ProcessorSpec>& specs);

int run_processors(const Options& options, const OnNotice& on_notice);

}  // namespace commands
