#include "base/random.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/error.hpp"

namespace base {

std::string random_hex(size_t bytes) {
  std::string raw(bytes, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(bytes)) {
    throw Error(exit_our_bug, "the kernel gives no random bytes");
  }
  std::string hex;
  for (const char byte : raw) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

}  // namespace base
