// Small pieces of a page: escaped text, and numbers as people read them (their unit stays on the
// same line, by a no-break space).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "udp/figures.hpp"

namespace udp {

// For text and for attributes in quotes.
std::string html_escaped(std::string_view text);

// "0.012 ms", "3.46 ms", "250 ms".
std::string in_ms(double us);
// "60 s", "12.5 min", "72 h".
std::string in_time(double seconds);
// "0 %", "1.20 %", "under 0.01 %".
std::string in_percent(double share);

// Appends; nothing is escaped.
template <typename... Values>
void put(std::string& html, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(html), format, std::forward<Values>(values)...);
}

}  // namespace udp
