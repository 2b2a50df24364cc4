// JSON as it stands in a text: whether it is any, and an object's members with their own bytes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace json {

// True for one JSON document and nothing else, with numbers of any size, in valid UTF-8 and nesting
// at most 1,000 levels. Half of a surrogate pair makes it false.
bool is_json(std::string_view text);

struct RawMember {
  std::string_view name;
  std::string_view raw;  // the value's bytes
  bool is_string = false;
  std::string_view string;  // its text, when it is one
};

// Calls for each member of an object, in their order; what it is given holds until it returns. A
// member's value may be whatever is_json() takes.
// `source` names the text in errors: 65 when it is no JSON object, as json::parse() words it.
void each_member(std::string_view text, const std::string& source,
                 const std::function<void(const RawMember&)>& on_member);

}  // namespace json
