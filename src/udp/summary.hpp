// The parts that a report's text and its Markdown have in common.
#pragma once

#include <string>
#include <vector>

#include "udp/report.hpp"

namespace udp {

using Row = std::vector<std::string>;

// "2026-01-31 12:00:00 UTC, heard from 10.8.0.2 and 9 other addresses"; "" but of a server's
// report, as a client knows when and where it was started.
std::string origin(const Report& report);

// The verdict in one sentence, without a full stop.
std::string headline(const Report& report);

// Tables with their header first.
std::vector<Row> direction_rows(const Report& report);
std::vector<Row> time_rows(const Report& report);
std::vector<Row> caller_rows(const std::vector<const Caller*>& callers, const Report& report);

// At most ten, the worst first: those with packets lost or late, or a MOS noticeably below the
// mean.
std::vector<const Caller*> worst_callers(const Report& report);

// "65,002 bit/s a caller, 0.00 % off what was asked for"; "" when it is not known.
std::string rate_text(const Report& report);

}  // namespace udp
