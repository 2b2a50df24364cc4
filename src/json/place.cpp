#include "json/place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace json {

Place Place::at(const std::string& name) const {
  return {source, path + "/" + base::one_line(name)};
}

base::Error Place::error(const std::string& what) const {
  return {base::exit_bad_input, fmt::format("{}, at {}: {}", source, path, what)};
}

std::string text_at(const Value& object, const char* name, const Place& place) {
  const Value* value = find(object, name);
  if (value == nullptr) return "";
  const std::string* text = as_string(value);
  if (text == nullptr || text->empty()) throw place.at(name).error("this is no text");
  return *text;
}

bool toggle_at(const Value& object, const char* name, const Place& place, bool fallback) {
  const Value* value = find(object, name);
  if (value == nullptr) return fallback;
  const bool* toggle = std::get_if<bool>(&value->data);
  if (toggle == nullptr) throw place.at(name).error("this is neither true nor false");
  return *toggle;
}

std::vector<std::string> texts_at(const Value& object, const char* name, const Place& place) {
  const Value* value = find(object, name);
  if (value == nullptr) return {};
  if (const std::string* text = as_string(value)) return {*text};
  const Array* list = as_array(value);
  if (list == nullptr || list->empty()) throw place.at(name).error("this is no list of texts");
  std::vector<std::string> texts;
  for (const Value& item : *list) {
    const std::string* text = as_string(&item);
    if (text == nullptr)
      throw place.at(name).error("this list holds something that is no text; put it in quotes");
    texts.push_back(*text);
  }
  return texts;
}

void refuse_unknown(const Object& object, std::span<const char* const> known, const Place& place) {
  const std::vector<std::string> names(known.begin(), known.end());
  for (const Member& member : object) {
    if (std::find(names.begin(), names.end(), member.name) != names.end()) continue;
    const std::string meant = base::nearest(member.name, names);
    throw place.at(member.name)
        .error("this name is not known" +
               (meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
  }
}

std::string amount_at(const Value& object, const char* name, const Place& place) {
  const Value* value = find(object, name);
  const auto* number = value == nullptr ? nullptr : std::get_if<int64_t>(&value->data);
  return number == nullptr ? text_at(object, name, place) : std::to_string(*number);
}

void refuse_doubles(const Object& object, const Place& place) {
  for (size_t i = 0; i < object.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (object[i].name == object[k].name) {
        throw place.at(object[i].name).error("this name stands twice");
      }
    }
  }
}

}  // namespace json
