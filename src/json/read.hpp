// JSON in (simdjson behind it).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/value.hpp"

namespace json {

// Parses one JSON document. `source` names it in errors. Throws 65 "SOURCE is not JSON: line L,
// column C: …" on bad syntax, invalid UTF-8, more than 500 levels of nesting and something behind
// the document; 65 without a place for nothing but white space. Columns count bytes, from 1.
Value parse(std::string_view text, const std::string& source);

// The same for text that need not be JSON: nothing when it is not.
std::optional<Value> try_parse(std::string_view text);

// Parses one YAML document (and so nearly all JSON; of escapes not the pairs of surrogates). Plain
// scalars are null, true, false, decimal numbers (fractions of up to 15 digits), else text. Throws
// 65 with line and column, also for a second document, 500 levels, and one that aliases blow up to
// more than 100,000 values.
Value parse_yaml(const std::string& bytes, const std::string& source);

// The versions of the libraries in use, "3.0.1".
std::string simdjson_version();
std::string yaml_cpp_version();

}  // namespace json
