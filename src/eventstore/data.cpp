#include "eventstore/data.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace eventstore {

std::string name_of(const Event& event) {
  return fmt::format("event {} of {}", event.revision, base::one_line(event.stream));
}

const json::Value* find_field(const json::Value& data, std::string_view path) {
  const json::Value* found = &data;
  for (;;) {
    const size_t dot = path.find('.');
    found = json::find(*found, path.substr(0, dot));
    if (found == nullptr || dot == std::string_view::npos) return found;
    path.remove_prefix(dot + 1);
  }
}

std::string text_of(const json::Value* value) {
  if (value == nullptr) return "";
  const std::string* text = json::as_string(value);
  return text == nullptr ? json::write(*value) : *text;
}

std::string key_of(const Event& event, const std::string& path) {
  if (path.empty()) return event.stream;
  const auto data = json::try_parse(event.data);
  return data ? text_of(find_field(*data, path)) : "";
}

}  // namespace eventstore
