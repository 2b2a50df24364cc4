// Randomness from the kernel.
#pragma once

#include <cstddef>
#include <string>

namespace base {

// 2 * bytes hexadecimal digits that nobody can guess. Throws 70 when the kernel gives none.
std::string random_hex(size_t bytes);

}  // namespace base
