// The charts of a report's page: what there is to draw, in which units.
#pragma once

#include <string>
#include <vector>

#include "udp/report.hpp"

namespace udp {

// The report's seconds, without gaps in their numbering and `seconds` to a point, so that there are
// at most 600. NaN where nothing is known. Shares are in percent, times in ms.
struct Timeline {
  double seconds = 1;                  // of one point
  std::vector<double> sent, received;  // packets a second
  std::vector<double> loss, jitter, delay, delay_max, mos;
};
Timeline timeline(const Report& report);

// Figures, one after another, as HTML.
std::string charts_html(const Report& report);

}  // namespace udp
