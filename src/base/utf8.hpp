// UTF-8: check, repair, count and cut. Foreign text passes through here before it goes anywhere.
//
// Invalid bytes never throw here: they count as U+FFFD. Slack's limits may count code points or
// UTF-16 units (undocumented); utf16_length is the stricter of the two.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// The code point at byte `at`, which is moved behind it. Overlong forms, surrogates, values above
// U+10FFFF and cut sequences give U+FFFD and move one byte. `at` must be inside the text.
char32_t next_code_point(std::string_view text, size_t& at);

void append_code_point(std::string& text, char32_t code_point);

// Byte offset of the first invalid byte; nothing when all is well.
std::optional<size_t> first_invalid_utf8(std::string_view text);

// The same text with every invalid byte replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

size_t utf16_length(std::string_view text);

// At most max_units UTF-16 units; a cut text ends in "…". Never cuts inside a code point.
std::string shorten(std::string_view text, size_t max_units);

// Control characters, and those that turn the direction of the text around (U+202A..U+202E,
// U+2066..U+2069).
bool is_unsafe_to_show(char32_t code_point);

// One line that is safe to show: line breaks and tabs become spaces, what else is unsafe to show is
// dropped, and invalid UTF-8 is repaired.
std::string one_line(std::string_view text);

}  // namespace base
