// Time as a parameter: real in the program, simulated in tests.
#pragma once

#include <cstdint>
#include <functional>

namespace base {

struct Clock {
  std::function<int64_t()> monotonic_ms;     // never goes back; only differences mean something
  std::function<int64_t()> unix_s;           // wall clock, seconds since 1970 UTC
  std::function<void(int64_t ms)> sleep_ms;  // returns after at least that long
};

Clock real_clock();

// The real clock's, for what waits for the kernel and so is never simulated.
int64_t monotonic_ms();

}  // namespace base
