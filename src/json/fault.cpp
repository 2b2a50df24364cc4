#include "json/fault.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace json {

namespace {

using Kind = Fault::Kind;

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::optional<unsigned> utf16_unit(std::string_view escape) {
  if (!escape.starts_with("\\u") || escape.size() < 6) return std::nullopt;
  unsigned unit = 0;
  const char* end = escape.data() + 6;
  if (std::from_chars(escape.data() + 2, end, unit, 16).ptr != end) return std::nullopt;
  return unit;
}

// The length of the escape that `text` begins with; 0 when it is none of JSON's.
size_t escape_length(std::string_view text) {
  if (text.size() > 1 && std::string_view("\"\\/bfnrt").find(text[1]) != std::string_view::npos) {
    return 2;
  }
  const auto unit = utf16_unit(text);
  if (!unit || (*unit >= 0xDC00 && *unit <= 0xDFFF)) return 0;
  if (*unit < 0xD800 || *unit > 0xDFFF) return 6;
  const auto second = utf16_unit(text.substr(6));
  return second && *second >= 0xDC00 && *second <= 0xDFFF ? 12 : 0;
}

// Moves `at` from a string's first quote to its last.
std::optional<Fault> fault_in_string(std::string_view text, size_t& at) {
  const Fault unclosed{Kind::unclosed_string, at};
  for (++at; at < text.size() && text[at] != '\n';) {  // a line break: the quote was forgotten
    if (text[at] == '"') return std::nullopt;
    if (static_cast<unsigned char>(text[at]) < 0x20) return Fault{Kind::control_in_string, at};
    const size_t step = text[at] == '\\' ? escape_length(text.substr(at)) : 1;
    if (step == 0 && text.find('"', at + 2) == std::string_view::npos) return unclosed;
    if (step == 0) return Fault{Kind::wrong_escape, at};
    at += step;
  }
  return unclosed;
}

}  // namespace

std::optional<Fault> find_fault(std::string_view text) {
  std::vector<size_t> open;
  bool is_over = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (kWhiteSpace.find(c) != std::string_view::npos) continue;
    if (is_over) return Fault{Kind::trailing_content, at};
    if (c == '"') {
      if (const auto fault = fault_in_string(text, at)) return fault;
    } else if (c == '[' || c == '{') {
      open.push_back(at);
    } else if (c == ']' || c == '}') {
      if (open.empty() || text[open.back()] != (c == ']' ? '[' : '{')) {
        return Fault{Kind::wrong_bracket, at};
      }
      open.pop_back();
    } else if (open.empty()) {
      at = std::min(text.find_first_of(" \t\r\n,:\"[]{}", at + 1), text.size()) - 1;
    }
    is_over = open.empty();
  }
  if (open.empty()) return std::nullopt;
  return Fault{Kind::unclosed_bracket, open.back()};
}

}  // namespace json
