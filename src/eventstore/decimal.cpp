#include "eventstore/decimal.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"

namespace eventstore {

namespace {

constexpr int64_t kNanos = 1'000'000'000;
constexpr size_t kDecimals = 9;
constexpr int64_t kMost = INT64_MAX;  // wholes stay below, so that every number has its negative

// The digits behind the point as billionths, rounded; nothing when they are none.
std::optional<int64_t> nanos_of(std::string_view digits) {
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  int64_t nanos = 0;
  for (size_t i = 0; i < kDecimals; ++i) {
    nanos = nanos * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  const bool rounds_up = digits.size() > kDecimals && digits[kDecimals] >= '5';
  return nanos + (rounds_up ? 1 : 0);
}

}  // namespace

std::optional<Decimal> read_decimal(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  uint64_t whole = 0;
  if (!base::read_number(text.substr(0, point), whole)) return std::nullopt;
  const auto nanos =
      nanos_of(point == std::string_view::npos ? std::string_view() : text.substr(point + 1));
  if (!nanos || whole >= uint64_t{kMost}) return std::nullopt;
  Decimal number{static_cast<int64_t>(whole) + *nanos / kNanos, *nanos % kNanos};
  if (!is_negative) return number;
  if (number.nano == 0) return Decimal{-number.whole, 0};
  return Decimal{-number.whole - 1, kNanos - number.nano};
}

std::optional<Decimal> decimal_of(const json::Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value.data)) {
    return read_decimal(std::to_string(*whole));
  }
  const auto* real = std::get_if<double>(&value.data);
  if (real == nullptr) return std::nullopt;
  // The shortest decimal number that reads as the same double is what was written.
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, *real, std::chars_format::fixed);
  return read_decimal({text, static_cast<size_t>(end.ptr - text)});
}

std::optional<Decimal> sum_of(const Decimal& one, const Decimal& other) {
  Decimal sum;
  const int64_t nanos = one.nano + other.nano;
  sum.nano = nanos % kNanos;
  const bool is_too_large = __builtin_add_overflow(one.whole, other.whole, &sum.whole) ||
                            __builtin_add_overflow(sum.whole, nanos / kNanos, &sum.whole);
  if (is_too_large || sum.whole >= kMost || sum.whole <= -kMost) return std::nullopt;
  return sum;
}

std::string text_of(const Decimal& number) {
  if (number.nano == 0) return std::to_string(number.whole);
  const bool is_negative = number.whole < 0;
  const int64_t whole = is_negative ? -(number.whole + 1) : number.whole;
  const int64_t nano = is_negative ? kNanos - number.nano : number.nano;
  std::string text = fmt::format("{}{}.{:09}", is_negative ? "-" : "", whole, nano);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace eventstore
