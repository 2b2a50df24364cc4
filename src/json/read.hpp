// JSON in (simdjson behind it).
#pragma once

#include <string>
#include <string_view>

#include "json/value.hpp"

namespace json {

// Parses one JSON document. `source` names it in errors. Throws 65 "SOURCE is not JSON: line L,
// column C: …" on bad syntax, invalid UTF-8 and something behind the document; 65 without a place
// for nothing but white space and for more than 500 levels of nesting. Columns count bytes, from 1.
Value parse(std::string_view text, const std::string& source);

// Parses one YAML document (and so nearly all JSON; of escapes not the pairs of surrogates). Plain
// scalars are null, true, false, decimal numbers, else text. Throws 65 with line and column, also
// for a second document, 500 levels, and one that aliases blow up to more than 100,000 values.
Value parse_yaml(const std::string& text, const std::string& source);

// The library versions in use, "name version" each.
std::string simdjson_version();
std::string yaml_cpp_version();

}  // namespace json
