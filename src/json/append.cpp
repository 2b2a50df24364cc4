#include "json/append.hpp"

#include <charconv>
#include <iterator>

#include "base/utf8.hpp"

namespace json {

namespace {

void append_escaped(std::string& to, char c) {
  switch (c) {
    case '"':
      to += "\\\"";
      break;
    case '\\':
      to += "\\\\";
      break;
    case '\n':
      to += "\\n";
      break;
    case '\r':
      to += "\\r";
      break;
    case '\t':
      to += "\\t";
      break;
    default:
      to += "\\u00";
      to += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
      to += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xFU];
  }
}

void append_valid(std::string& to, std::string_view text) {
  size_t start = 0;  // of what stands as it is
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    to.append(text, start, at - start);
    append_escaped(to, c);
    start = at + 1;
  }
  to.append(text, start);
}

}  // namespace

void append_string(std::string& to, std::string_view text) {
  to += '"';
  if (base::first_invalid_utf8(text)) {
    append_valid(to, base::repair_utf8(text));
  } else {
    append_valid(to, text);
  }
  to += '"';
}

void ObjectAppender::begin(std::string_view name) {
  if (!is_empty_) *to_ += ',';
  is_empty_ = false;
  *to_ += '"';
  to_->append(name);
  *to_ += "\":";
}

void ObjectAppender::text(std::string_view name, std::string_view value) {
  begin(name);
  append_string(*to_, value);
}

void ObjectAppender::number(std::string_view name, uint64_t value) {
  begin(name);
  char digits[20];
  const auto result = std::to_chars(std::begin(digits), std::end(digits), value);
  to_->append(std::begin(digits), result.ptr);
}

void ObjectAppender::truth(std::string_view name, bool value) {
  begin(name);
  *to_ += value ? "true" : "false";
}

// A line break in JSON stands between its parts: inside of a string it would be an escape.
void ObjectAppender::json(std::string_view name, std::string_view value) {
  begin(name);
  const size_t start = to_->size();
  to_->append(value);
  for (const char line_break : {'\n', '\r'}) {
    for (size_t at = start; (at = to_->find(line_break, at)) != std::string::npos;) {
      (*to_)[at] = ' ';
    }
  }
}

ObjectAppender ObjectAppender::object(std::string_view name) {
  begin(name);
  return ObjectAppender(*to_);
}

}  // namespace json
