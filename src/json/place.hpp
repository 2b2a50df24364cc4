// Reads what people wrote into a configuration: members of an object with the place that errors
// name. All of these throw 65 "FILE, at /handlers/2/name: what is wrong".
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/value.hpp"

namespace json {

struct Place {
  std::string source;  // the file's name
  std::string path;    // "" for the whole document, then "/name/0"

  Place at(const std::string& name) const;
  base::Error error(const std::string& what) const;
};

// A member's text; "" when it is missing. Empty text is refused.
std::string text_at(const Value& object, const char* name, const Place& place);

// A member that is true or false.
bool toggle_at(const Value& object, const char* name, const Place& place, bool fallback);

// A list of texts, or one text; none when it is missing. An empty list is refused.
std::vector<std::string> texts_at(const Value& object, const char* name, const Place& place);

// "30s", or a number without a unit, as text; "" when it is missing.
std::string amount_at(const Value& object, const char* name, const Place& place);

// Tells which known name was meant.
void refuse_unknown(const Object& object, std::span<const char* const> known, const Place& place);

// Names that stand twice.
void refuse_doubles(const Object& object, const Place& place);

}  // namespace json
