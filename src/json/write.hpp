// JSON out: here and in append.hpp, the only places where JSON text is made.
#pragma once

#include <string>

#include "json/value.hpp"

namespace json {

// One line, no spaces. Invalid UTF-8 in a text becomes U+FFFD; NaN and infinities become null.
std::string write(const Value& value);

}  // namespace json
