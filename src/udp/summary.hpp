// The parts that a report's text and its Markdown have in common.
#pragma once

#include <string>
#include <vector>

#include "udp/report.hpp"

namespace udp {

using Row = std::vector<std::string>;

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
