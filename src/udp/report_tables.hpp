// The tables of a report's page, as HTML. A wide one scrolls sideways by itself, not the page.
#pragma once

#include <string>

#include "udp/report.hpp"

namespace udp {

// The worst ten callers, and the packets of both directions.
std::string tables_html(const Report& report);

}  // namespace udp
