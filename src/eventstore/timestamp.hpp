// The event store's time, ticks of 100 ns since 1970 UTC, as people write it (RFC 3339).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace eventstore {

inline constexpr int64_t kTicksPerSecond = 10'000'000;

// Appends "2026-11-25T12:00:00.1234567Z"; times outside of the years 0 to 9999 become the nearest
// one within.
void append_time(int64_t ticks, std::string& to);

// Reads date and time with Z or an offset from UTC, and up to nine digits of a second, of which
// seven count. False, and `ticks` as it was, for anything else.
bool read_time(std::string_view text, int64_t& ticks);

}  // namespace eventstore
