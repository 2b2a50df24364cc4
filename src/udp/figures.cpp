#include "udp/figures.hpp"

#include <fmt/format.h>

#include <cmath>

namespace udp {

std::string grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string percent(double share) {
  const double value = share * 100;
  if (value > 0 && value < 0.01) return "<0.01 %";
  // What is not all must not read as all.
  if (value < 100 && value >= 99.995) return ">99.99 %";
  return fmt::format("{:.2f} %", value);
}

std::string ms_text(double us) {
  const double ms = us / 1000;
  if (ms < 9.995) return fmt::format("{:.2f} ms", ms);
  if (ms < 99.95) return fmt::format("{:.1f} ms", ms);
  return grouped(static_cast<uint64_t>(std::llround(ms))) + " ms";
}

std::string limit_text(double ms) {
  return fmt::format("{} ms", ms);
}

std::string seconds_text(double seconds) {
  const double tenths = std::round(seconds * 10) / 10;
  return fmt::format("{} s", tenths == std::floor(tenths) ? grouped(static_cast<uint64_t>(tenths))
                                                          : fmt::format("{:.1f}", tenths));
}

std::string mos_text(double mos) {
  return fmt::format("{:.2f}", mos);
}

std::string counted(uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

double share_of(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace udp
