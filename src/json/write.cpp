#include "json/write.hpp"

#include <fmt/format.h>

#include <cmath>

#include "json/append.hpp"

namespace json {

namespace {

class Writer {
 public:
  void operator()(std::nullptr_t) { text_ += "null"; }
  void operator()(bool value) { text_ += value ? "true" : "false"; }
  void operator()(int64_t value) { text_ += fmt::format("{}", value); }
  void operator()(uint64_t value) { text_ += fmt::format("{}", value); }
  void operator()(double value) {
    const bool is_minus_zero = value == 0 && std::signbit(value);
    text_ += is_minus_zero ? "-0.0" : std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  void operator()(const std::string& value) { append_string(text_, value); }

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
      append_string(text_, object[i].name);
      text_ += ':';
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
