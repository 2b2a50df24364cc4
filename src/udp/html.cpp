#include "udp/html.hpp"

#include <cmath>

namespace udp {

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string in_ms(double us) {
  const double ms = us / 1000;
  if (ms == 0) return "0\u00a0ms";
  const int decimals = ms < 0.1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0;
  return fmt::format("{:.{}f}\u00a0ms", ms, decimals);
}

std::string in_time(double seconds) {
  if (seconds < 600) return fmt::format("{:.6g}\u00a0s", std::round(seconds * 10) / 10);
  if (seconds < 7200) return fmt::format("{:.4g}\u00a0min", seconds / 60);
  return fmt::format("{:.4g}\u00a0h", seconds / 3600);
}

std::string in_percent(double share) {
  if (share == 0) return "0\u00a0%";
  if (share > 0 && share < 0.00005) return "under 0.01\u00a0%";
  return fmt::format("{:.2f}\u00a0%", share * 100);
}

}  // namespace udp
