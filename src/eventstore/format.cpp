#include "eventstore/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "eventstore/timestamp.hpp"

namespace eventstore {

namespace {

constexpr std::string_view kPlaces = "sntdmTicpr";

// `at` is where % or \ stands, behind which there are `length` bytes of it.
base::Error wrong(std::string_view text, size_t at, size_t length) {
  size_t character = 1;
  for (size_t i = 0; i < at; ++character) base::next_code_point(text, i);
  const std::string shown = base::one_line(text.substr(at, length + 1));
  return {base::exit_usage,
          fmt::format("--format: {} at character {}; known are %s %n %t %d %m %T %i %c %p %r %% "
                      "and \\n \\t \\r \\0 \\\\ \\xHH",
                      shown, character)};
}

// The length of the code point that begins there.
size_t length_at(std::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const size_t start = at;
  base::next_code_point(text, at);
  return at - start;
}

// The byte for what stands behind a backslash at `at`, which is moved to the last of it.
char escaped(std::string_view text, size_t& at) {
  const size_t start = at++;
  const char c = at < text.size() ? text[at] : ' ';
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x':
      break;
    default:
      throw wrong(text, start, length_at(text, start + 1));
  }
  unsigned byte = 0;
  const char* end = text.data() + std::min(at + 3, text.size());
  const auto result = std::from_chars(text.data() + at + 1, end, byte, 16);
  if (at + 2 >= text.size() || result.ec != std::errc() || result.ptr != end) {
    throw wrong(text, start, 3);
  }
  at += 2;
  return static_cast<char>(byte);
}

void append_position(const Position& position, std::string& to) {
  if (position.commit == kNoPosition) {
    to += '-';
    return;
  }
  fmt::format_to(std::back_inserter(to), "{}/{}", position.commit, position.prepare);
}

}  // namespace

Format::Format(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      add_text(escaped(text, at));
    } else if (text[at] != '%') {
      add_text(text[at]);
    } else if (text.substr(at + 1).starts_with('%')) {
      add_text('%');
      ++at;
    } else {
      const bool is_known =
          at + 1 < text.size() && kPlaces.find(text[at + 1]) != std::string_view::npos;
      if (!is_known) throw wrong(text, at, length_at(text, at + 1));
      parts_.push_back({text[at + 1], ""});
      ++at;
    }
  }
}

void Format::add_text(char byte) {
  if (parts_.empty() || parts_.back().what != 0) parts_.push_back({0, ""});
  parts_.back().text += byte;
}

void Format::append(const Event& event, std::string& to) const {
  for (const Part& part : parts_) {
    switch (part.what) {
      case 's':
        to += event.stream;
        break;
      case 'n':
        fmt::format_to(std::back_inserter(to), "{}", event.original_revision());
        break;
      case 't':
        to += event.type;
        break;
      case 'd':
        to += event.data;
        break;
      case 'm':
        to += event.metadata;
        break;
      case 'T':
        append_time(event.created_ticks, to);
        break;
      case 'i':
        to += event.id;
        break;
      case 'c':
        to += event.content_type;
        break;
      case 'p':
        append_position(event.original_position(), to);
        break;
      case 'r':
        fmt::format_to(std::back_inserter(to), "{}", event.retries);
        break;
      default:
        to += part.text;
    }
  }
}

}  // namespace eventstore
