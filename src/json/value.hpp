// A JSON document as a plain tree, the same whether it was read from JSON or YAML or built to be
// written. Members keep their order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace json {

struct Value;
struct Member;
using Array = std::vector<Value>;
using Object = std::vector<Member>;

struct Value {
  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object> data;

  Value();
  Value(std::nullptr_t);
  Value(bool value);
  Value(int value);
  Value(int64_t value);
  Value(uint64_t value);
  Value(double value);
  Value(const char* value);
  Value(std::string_view value);
  Value(std::string value);
  Value(Array value);
  Value(Object value);
};

struct Member {
  std::string name;
  Value value;
};

// The member of that name; nullptr when `value` is no object or has none.
const Value* find(const Value& value, std::string_view name);
const Value* find(const Value&& value, std::string_view name) = delete;  // it would be gone

// The same, following names from the outside in: find(reply, {"response_metadata", "messages"}).
const Value* find(const Value& value, std::initializer_list<std::string_view> path);
const Value* find(const Value&& value, std::initializer_list<std::string_view> path) = delete;

const std::string* as_string(const Value* value);
const Array* as_array(const Value* value);
const Object* as_object(const Value* value);
bool is_null(const Value* value);  // also when there is no value

// A member's text; "" when it is missing or no string.
std::string string_at(const Value& value, std::string_view name);

// A member's truth value; false when it is missing or no boolean.
bool bool_at(const Value& value, std::string_view name);

}  // namespace json
