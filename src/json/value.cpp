#include "json/value.hpp"

namespace json {

Value::Value() : data(nullptr) {}
Value::Value(std::nullptr_t) : data(nullptr) {}
Value::Value(bool value) : data(value) {}
Value::Value(int value) : data(int64_t{value}) {}
Value::Value(int64_t value) : data(value) {}
Value::Value(uint64_t value) : data(value) {}
Value::Value(double value) : data(value) {}
Value::Value(const char* value) : data(std::string(value)) {}
Value::Value(std::string_view value) : data(std::string(value)) {}
Value::Value(std::string value) : data(std::move(value)) {}
Value::Value(Array value) : data(std::move(value)) {}
Value::Value(Object value) : data(std::move(value)) {}

const Value* find(const Value& value, std::string_view name) {
  const Object* object = as_object(&value);
  if (object == nullptr) return nullptr;
  for (const Member& member : *object) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

const Value* find(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* found = &value;
  for (const std::string_view name : path) {
    found = find(*found, name);
    if (found == nullptr) return nullptr;
  }
  return found;
}

const std::string* as_string(const Value* value) {
  return value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
}

const Array* as_array(const Value* value) {
  return value == nullptr ? nullptr : std::get_if<Array>(&value->data);
}

const Object* as_object(const Value* value) {
  return value == nullptr ? nullptr : std::get_if<Object>(&value->data);
}

bool is_null(const Value* value) {
  return value == nullptr || std::holds_alternative<std::nullptr_t>(value->data);
}

std::string string_at(const Value& value, std::string_view name) {
  const std::string* text = as_string(find(value, name));
  return text == nullptr ? "" : *text;
}

bool bool_at(const Value& value, std::string_view name) {
  const Value* member = find(value, name);
  const bool* truth = member == nullptr ? nullptr : std::get_if<bool>(&member->data);
  return truth != nullptr && *truth;
}

}  // namespace json
