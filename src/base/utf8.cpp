#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace base {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

unsigned byte_at(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

struct Lead {
  size_t length;      // of the whole sequence
  char32_t bits;      // of the first byte
  char32_t smallest;  // code point that needs this length
};

Lead lead_of(unsigned byte) {
  if (byte < 0x80) return {1, byte, 0};
  if ((byte & 0xE0U) == 0xC0) return {2, byte & 0x1FU, 0x80};
  if ((byte & 0xF0U) == 0xE0) return {3, byte & 0x0FU, 0x800};
  if ((byte & 0xF8U) == 0xF0) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

// Decodes at `at`; nothing when the bytes there are no code point.
std::optional<char32_t> decode(std::string_view text, size_t at, size_t& length) {
  const Lead lead = lead_of(byte_at(text, at));
  if (lead.length == 0 || at + lead.length > text.size()) return std::nullopt;
  char32_t code_point = lead.bits;
  for (size_t i = 1; i < lead.length; ++i) {
    const unsigned byte = byte_at(text, at + i);
    if ((byte & 0xC0U) != 0x80) return std::nullopt;
    code_point = (code_point << 6U) | (byte & 0x3FU);
  }
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < lead.smallest || code_point > 0x10FFFF || is_surrogate) return std::nullopt;
  length = lead.length;
  return code_point;
}

// The first byte from `at` on that is not ASCII. Most text is: so eight at a time.
size_t behind_ascii(std::string_view text, size_t at) {
  uint64_t eight = 0;
  for (; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && byte_at(text, at) < 0x80) ++at;
  return at;
}

bool turns_direction(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

}  // namespace

char32_t next_code_point(std::string_view text, size_t& at) {
  const unsigned byte = byte_at(text, at);
  if (byte < 0x80) {  // most text is ASCII
    ++at;
    return byte;
  }
  size_t length = 1;
  const auto code_point = decode(text, at, length);
  at += length;
  return code_point.value_or(kReplacement);
}

void append_code_point(std::string& text, char32_t c) {
  const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | (c >> 6U));
    put(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0U | (c >> 12U));
    put(0x80U | ((c >> 6U) & 0x3FU));
    put(0x80U | (c & 0x3FU));
  } else {
    put(0xF0U | (c >> 18U));
    put(0x80U | ((c >> 12U) & 0x3FU));
    put(0x80U | ((c >> 6U) & 0x3FU));
    put(0x80U | (c & 0x3FU));
  }
}

std::optional<size_t> first_invalid_utf8(std::string_view text) {
  size_t at = behind_ascii(text, 0);
  while (at < text.size()) {
    size_t length = 0;
    if (!decode(text, at, length)) return at;
    at = behind_ascii(text, at + length);
  }
  return std::nullopt;
}

std::string repair_utf8(std::string_view text) {
  if (!first_invalid_utf8(text)) return std::string(text);
  std::string repaired;
  for (size_t at = 0; at < text.size();) append_code_point(repaired, next_code_point(text, at));
  return repaired;
}

size_t utf16_length(std::string_view text) {
  size_t units = 0;
  for (size_t at = 0; at < text.size();) units += next_code_point(text, at) >= 0x10000 ? 2U : 1U;
  return units;
}

std::string shorten(std::string_view text, size_t max_units) {
  if (utf16_length(text) <= max_units) return repair_utf8(text);
  if (max_units == 0) return "";
  std::string kept;
  size_t units = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t code_point = next_code_point(text, at);
    units += code_point >= 0x10000 ? 2U : 1U;
    if (units > max_units - 1) break;
    append_code_point(kept, code_point);
  }
  return kept + "…";
}

bool is_unsafe_to_show(char32_t code_point) {
  return is_control(code_point) || turns_direction(code_point);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const char32_t code_point = next_code_point(text, at);
    if (is_space(code_point)) {
      line.push_back(' ');
    } else if (!is_unsafe_to_show(code_point)) {
      append_code_point(line, code_point);
    }
  }
  return line;
}

}  // namespace base
