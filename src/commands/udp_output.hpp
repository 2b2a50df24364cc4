// A report of udp-load on its way out: to standard output, files, a job summary.
#pragma once

#include "commands/options.hpp"
#include "udp/report.hpp"

namespace commands {

// Throws 64 for a form that there is none of.
bool is_udp_json(const Options& options);

// Prints it and writes --csv, --report, and in Actions the job summary. Throws 74.
void show_udp_report(const Options& options, const udp::Report& report);

// 0, or 1 when a limit is broken or the run is invalid; 69 when no report came from the server, 130
// when it was interrupted.
int udp_exit_code(const udp::Report& report);

}  // namespace commands
