// Small text functions on ASCII; see base/utf8.hpp for what knows about Unicode.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// Without white space at either end.
std::string trim(std::string_view text);

// A-Z to a-z, everything else as it is.
std::string lower_ascii(std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);

// The items of a list that a person wrote: split at commas and line breaks, trimmed, no empty ones.
std::vector<std::string> split_list(std::string_view text);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// `from` must not be empty.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// Reads the whole text as a decimal number (std::from_chars: no spaces, no "+"). False, and
// `number` as it was, when it is none or too large for its type.
template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

// "500ms", "2s", "2", "1.5s", "3m", "1h" in milliseconds; seconds without a unit. False, and `ms`
// as it was, for anything else and for more than a day.
bool read_duration_ms(std::string_view text, int64_t& ms);

// The same for a person: "500 ms", "90 s".
std::string duration(int64_t ms);

// The candidate a person most likely meant; "" when none is close (more than a third is wrong).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// Words wrapped to lines of at most `width` columns; lines after the first begin with `indent`
// spaces, and the first is taken to begin there too. A line break in the text stays one.
std::string wrap(std::string_view text, size_t indent, size_t width);

}  // namespace base
