#include "udp/control_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace udp::control {

base::Error nonsense(const std::string& what) {
  return {base::exit_malformed_reply, "the other side's words are none of this tool's: " + what +
                                          "; does another program use this port?"};
}

const json::Value& member_in(const json::Value& object, const std::string& name) {
  const json::Value* member = json::find(object, name);
  if (member == nullptr) throw nonsense(fmt::format("'{}' is missing", name));
  return *member;
}

int64_t whole_of(const json::Value& value, const std::string& name, int64_t least, int64_t most) {
  const auto* whole = std::get_if<int64_t>(&value.data);
  if (whole == nullptr || *whole < least || *whole > most) {
    throw nonsense(fmt::format("'{}' is no whole number from {} to {}", name, least, most));
  }
  return *whole;
}

uint64_t count_of(const json::Value& value, const std::string& name) {
  return static_cast<uint64_t>(whole_of(value, name, 0, INT64_MAX));
}

double number_of(const json::Value& value, const std::string& name, double least, double most) {
  std::optional<double> number;
  if (const auto* fraction = std::get_if<double>(&value.data)) number = *fraction;
  if (const auto* whole = std::get_if<int64_t>(&value.data)) number = static_cast<double>(*whole);
  if (const auto* large = std::get_if<uint64_t>(&value.data)) number = static_cast<double>(*large);
  if (!number || *number < least || *number > most) {
    throw nonsense(fmt::format("'{}' is no number from {} to {}", name, least, most));
  }
  return *number;
}

std::string text_of(const json::Value& value, const std::string& name, size_t most) {
  const std::string* text = json::as_string(&value);
  const auto is_plain = [](char c) { return c >= ' ' && c < 127; };
  if (text == nullptr || text->size() > most ||
      !std::all_of(text->begin(), text->end(), is_plain)) {
    throw nonsense(fmt::format("'{}' is no plain text of up to {} characters", name, most));
  }
  return *text;
}

int64_t whole_in(const json::Value& object, const std::string& name, int64_t least, int64_t most) {
  return whole_of(member_in(object, name), name, least, most);
}

uint64_t count_in(const json::Value& object, const std::string& name) {
  return count_of(member_in(object, name), name);
}

double number_in(const json::Value& object, const std::string& name, double least, double most) {
  return number_of(member_in(object, name), name, least, most);
}

std::string text_in(const json::Value& object, const std::string& name, size_t most) {
  return text_of(member_in(object, name), name, most);
}

json::Value numbers_out(const std::vector<uint64_t>& numbers) {
  json::Array array;
  array.reserve(numbers.size());
  for (const uint64_t number : numbers) array.emplace_back(number);
  return array;
}

const json::Array& array_in(const json::Value& object, const std::string& name) {
  const json::Array* array = json::as_array(&member_in(object, name));
  if (array == nullptr) throw nonsense(fmt::format("'{}' is no list", name));
  return *array;
}

std::vector<uint64_t> counts_in(const json::Value& object, const std::string& name) {
  const json::Array& array = array_in(object, name);
  std::vector<uint64_t> counts;
  counts.reserve(array.size());
  for (const json::Value& value : array) counts.push_back(count_of(value, name));
  return counts;
}

std::string hex_of(uint64_t cookie) {
  return fmt::format("{:016x}", cookie);
}

}  // namespace udp::control
