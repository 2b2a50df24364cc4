#include "json/read.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace json {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kDeepest = 500;

struct TooDeep {};

Value number_of(ondemand::number number) {
  switch (number.get_number_type()) {
    case ondemand::number_type::signed_integer:
      return number.get_int64();
    case ondemand::number_type::unsigned_integer:
      return number.get_uint64();
    case ondemand::number_type::floating_point_number:
      break;
  }
  return number.get_double();
}

// Source is an ondemand::document or an ondemand::value: alike but for their types.
template <typename Source>
Value tree_of(Source& source, int depth) {
  if (depth > kDeepest) throw TooDeep{};
  switch (source.type().value()) {
    case ondemand::json_type::object: {
      Object object;
      for (auto field : source.get_object()) {
        std::string name(std::string_view(field.unescaped_key()));
        ondemand::value member = field.value();
        object.push_back({std::move(name), tree_of(member, depth + 1)});
      }
      return object;
    }
    case ondemand::json_type::array: {
      Array array;
      for (auto element : source.get_array()) {
        ondemand::value item = element.value();
        array.push_back(tree_of(item, depth + 1));
      }
      return array;
    }
    case ondemand::json_type::string:
      return std::string_view(source.get_string());
    case ondemand::json_type::number:
      return number_of(source.get_number());
    case ondemand::json_type::boolean:
      return bool(source.get_bool());
    case ondemand::json_type::null:
      break;
  }
  if (!source.is_null()) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
  return nullptr;
}

base::Error not_json(std::string_view text, size_t offset, const std::string& source,
                     const std::string& why) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 == 0: the first line
  return {base::exit_bad_input, fmt::format("{} is not JSON: line {}, column {}: {}", source, line,
                                            before.size() - line_start + 1, why)};
}

// Where the string that never ends begins: simdjson tells only that there is one.
size_t last_open_quote(std::string_view text) {
  size_t open = text.size();
  bool inside = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (inside && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      inside = !inside;
      open = at;
    }
  }
  return open;
}

std::string words_for(simdjson::error_code code) {
  switch (code) {
    case simdjson::TAPE_ERROR:
      return "a value, comma, colon or bracket is missing or out of place";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "an array or object is not closed";
    case simdjson::UNCLOSED_STRING:
      return "this string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a control character inside a string";
    case simdjson::STRING_ERROR:
      return "a wrong escape inside a string";
    case simdjson::NUMBER_ERROR:
      return "not a number";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "not true, false or null";
    case simdjson::TRAILING_CONTENT:
      return "something stands behind the end of the document";
    default:
      return simdjson::error_message(code);
  }
}

}  // namespace

Value parse(std::string_view text, const std::string& source) {
  if (const auto bad = base::first_invalid_utf8(text)) {
    throw not_json(text, *bad, source, "a byte that is not UTF-8");
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw base::Error(base::exit_bad_input, fmt::format("{} is empty", source));
  }
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  try {
    document = parser.iterate(padded);
    Value value = tree_of(document, 1);
    const bool something_left = document.current_location().error() == simdjson::SUCCESS;
    if (something_left) throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
    return value;
  } catch (const simdjson::simdjson_error& error) {
    size_t offset = text.size();
    const char* location = nullptr;
    if (error.error() == simdjson::UNCLOSED_STRING) {
      offset = last_open_quote(text);
    } else if (document.current_location().get(location) == simdjson::SUCCESS) {
      offset = static_cast<size_t>(location - padded.data());
    }
    throw not_json(text, offset, source, words_for(error.error()));
  } catch (const TooDeep&) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} nests deeper than {} levels", source, kDeepest));
  }
}

std::string simdjson_version() {
  return fmt::format("{}.{}.{}", int{simdjson::SIMDJSON_VERSION_MAJOR},
                     int{simdjson::SIMDJSON_VERSION_MINOR},
                     int{simdjson::SIMDJSON_VERSION_REVISION});
}

}  // namespace json
