// Numbers as reports write them: with separators, units and no more digits than mean something.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace udp {

std::string grouped(uint64_t number);      // "3,000,000"
std::string percent(double share);         // 0.012: "1.20 %"; "<0.01 %" for a little, not 0.00
std::string ms_text(double us);            // "0.04 ms", "12.3 ms", "1,204 ms"
std::string limit_text(double ms);         // as it was given: "30 ms", "2.5 ms"
std::string seconds_text(double seconds);  // "60 s", "2.5 s"
std::string mos_text(double mos);          // "4.38"
// "1 caller", "1,000 callers": the plural is the noun with an s.
std::string counted(uint64_t number, std::string_view noun);
// Part of a whole as a share, 0 of nothing.
double share_of(uint64_t part, uint64_t whole);

}  // namespace udp
