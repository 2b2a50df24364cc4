// JSON in (simdjson behind it).
#pragma once

#include <string>
#include <string_view>

#include "json/value.hpp"

namespace json {

// Parses one JSON document. `source` names it in errors. Throws 65 "SOURCE is not JSON: line L,
// column C: …" on bad syntax, invalid UTF-8, nothing but white space, something behind the
// document, or more than 500 levels of nesting. Columns count bytes, from 1.
Value parse(std::string_view text, const std::string& source);

// Parses YAML 1.2's core schema, of which JSON is a part. Throws 65 with line and column, also for
// a document that aliases blow up to more than a million values.
Value parse_yaml(const std::string& text, const std::string& source);

// The library versions in use, "name version" each.
std::string simdjson_version();
std::string yaml_cpp_version();

}  // namespace json
