// Decimal numbers that add up as a person expects: 0.1 + 0.2 is 0.3. Exact with up to nine decimals
// and 64 bits before the point; what has more decimals is rounded to nine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.hpp"

namespace eventstore {

struct Decimal {
  int64_t whole = 0;  // rounded down
  int64_t nano = 0;   // above that, 0 to 999,999,999

  auto operator<=>(const Decimal&) const = default;
};

// Nothing for what is no number, and for one too large.
std::optional<Decimal> decimal_of(const json::Value& value);
std::optional<Decimal> read_decimal(std::string_view text);  // "-12.5", no exponents

// Nothing when the sum is too large.
std::optional<Decimal> sum_of(const Decimal& one, const Decimal& other);

// Without zeros at its end: "-12.5", "3".
std::string text_of(const Decimal& number);

}  // namespace eventstore
