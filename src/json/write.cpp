#include "json/write.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/utf8.hpp"

namespace json {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : base::repair_utf8(text)) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

class Writer {
 public:
  explicit Writer(bool pretty) : pretty_(pretty) {}

  void operator()(std::nullptr_t) { text_ += "null"; }
  void operator()(bool value) { text_ += value ? "true" : "false"; }
  void operator()(int64_t value) { text_ += fmt::format("{}", value); }
  void operator()(uint64_t value) { text_ += fmt::format("{}", value); }
  void operator()(double value) {
    text_ += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  void operator()(const std::string& value) { text_ += quoted(value); }

  void operator()(const Array& array) {
    open('[');
    for (const Value& item : array) {
      next();
      std::visit(*this, item.data);
    }
    close(']', array.empty());
  }

  void operator()(const Object& object) {
    open('{');
    for (const Member& member : object) {
      next();
      text_ += quoted(member.name);
      text_ += pretty_ ? ": " : ":";
      std::visit(*this, member.value.data);
    }
    close('}', object.empty());
  }

  std::string take() { return std::move(text_); }

 private:
  void open(char bracket) {
    text_ += bracket;
    ++depth_;
  }

  void next() {
    if (text_.back() != '[' && text_.back() != '{') text_ += ',';
    if (pretty_) new_line();
  }

  void close(char bracket, bool empty) {
    --depth_;
    if (pretty_ && !empty) new_line();
    text_ += bracket;
  }

  void new_line() {
    text_ += '\n';
    text_.append(depth_ * 2, ' ');
  }

  bool pretty_;
  size_t depth_ = 0;
  std::string text_;
};

std::string write_with(Writer writer, const Value& value) {
  std::visit(writer, value.data);
  return writer.take();
}

}  // namespace

std::string write(const Value& value) {
  return write_with(Writer(false), value);
}

std::string write_pretty(const Value& value) {
  return write_with(Writer(true), value);
}

}  // namespace json
