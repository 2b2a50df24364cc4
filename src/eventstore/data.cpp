#include "eventstore/data.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"

namespace eventstore {

std::string name_of(const Event& event) {
  if (event.stream.empty()) {
    return fmt::format("an event of type {}{}{}", base::one_line(event.type),
                       event.id.empty() ? "" : ", id ", event.id);
  }
  return fmt::format("event {} of {}", event.revision, base::one_line(event.stream));
}

std::string raw_field(const Event& event, std::string_view path) {
  if (!json::is_json(event.data)) return "";
  std::string found = event.data;
  while (true) {
    const size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const size_t start = found.find_first_not_of(" \t\r\n");
    if (start == std::string::npos || found[start] != '{') return "";
    std::string member;
    json::each_member(found, "", [&](const json::RawMember& one) {
      if (one.name == name) member = one.raw;
    });
    if (dot == std::string_view::npos || member.empty()) return member;
    found = member;
    path.remove_prefix(dot + 1);
  }
}

std::string field_text(const Event& event, std::string_view path) {
  std::string raw = raw_field(event, path);
  const auto value = json::try_parse(raw);
  const std::string* text = value ? json::as_string(&*value) : nullptr;
  return text == nullptr ? raw : *text;
}

std::string key_of(const Event& event, const std::string& path) {
  return path.empty() ? event.stream : field_text(event, path);
}

}  // namespace eventstore
