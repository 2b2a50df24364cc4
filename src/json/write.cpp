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
  void operator()(std::nullptr_t) { text_ += "null"; }
  void operator()(bool value) { text_ += value ? "true" : "false"; }
  void operator()(int64_t value) { text_ += fmt::format("{}", value); }
  void operator()(uint64_t value) { text_ += fmt::format("{}", value); }
  void operator()(double value) {
    text_ += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  void operator()(const std::string& value) { text_ += quoted(value); }

  void operator()(const Array& array) {
    text_ += '[';
    for (size_t i = 0; i < array.size(); ++i) {
      if (i > 0) text_ += ',';
      std::visit(*this, array[i].data);
    }
    text_ += ']';
  }

  void operator()(const Object& object) {
    text_ += '{';
    for (size_t i = 0; i < object.size(); ++i) {
      if (i > 0) text_ += ',';
      text_ += quoted(object[i].name) + ':';
      std::visit(*this, object[i].value.data);
    }
    text_ += '}';
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string write(const Value& value) {
  Writer writer;
  std::visit(writer, value.data);
  return writer.take();
}

}  // namespace json
