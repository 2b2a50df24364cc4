#include "json/read.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "json/fault.hpp"

namespace json {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kDeepest = 500;

constexpr std::string_view kWhiteSpace = " \t\r\n";

// `token` is the number's text, with what stands behind it up to the next token.
Value number_of(ondemand::number number, std::string_view token) {
  switch (number.get_number_type()) {
    case ondemand::number_type::signed_integer:
      return number.get_int64();
    case ondemand::number_type::unsigned_integer:
      return number.get_uint64();
    case ondemand::number_type::floating_point_number:
      break;
  }
  // Not get_double(): before 3.6.4 it gives 0 for numbers of 20 digits and more
  // (github.com/simdjson/simdjson/issues/2099).
  double real = 0;
  std::from_chars(token.data(), token.data() + token.size(), real);
  return real;
}

// Source is an ondemand::document or an ondemand::value: alike but for their types.
template <typename Source>
Value tree_of(Source& source, int depth) {
  const ondemand::json_type type = source.type();
  const bool nests = type == ondemand::json_type::object || type == ondemand::json_type::array;
  if (nests && depth > kDeepest) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
  switch (type) {
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
      return number_of(source.get_number(), source.raw_json_token());
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

std::string words_for(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::unclosed_string:
      return "this string is not closed";
    case Fault::Kind::control_in_string:
      return "a control character inside a string";
    case Fault::Kind::wrong_escape:
      return "a wrong escape inside a string";
    case Fault::Kind::wrong_bracket:
      return "a bracket is missing or out of place";
    case Fault::Kind::unclosed_bracket:
      return "this array or object is not closed";
    case Fault::Kind::trailing_content:
      break;
  }
  return "something stands behind the end of the document";
}

std::string words_for(simdjson::error_code code) {
  switch (code) {
    case simdjson::TAPE_ERROR:
      return "a value, comma, colon or bracket is missing or out of place";
    case simdjson::NUMBER_ERROR:
      return "not a number, or one that 64 bits don't hold";
    case simdjson::INCORRECT_TYPE:  // begins like one of them
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "not true, false or null";
    case simdjson::DEPTH_ERROR:
      return fmt::format("nests deeper than {} levels", kDeepest);
    default:
      return simdjson::error_message(code);
  }
}

// Where simdjson stands; for some errors that is not where they are.
size_t place_of(simdjson::error_code code, ondemand::document& document, std::string_view text,
                const simdjson::padded_string& padded) {
  const char* location = nullptr;
  const bool elsewhere = code == simdjson::STRING_ERROR ||
                         code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT ||
                         code == simdjson::TRAILING_CONTENT;
  const bool known = document.current_location().get(location) == simdjson::SUCCESS;
  return known && !elsewhere ? static_cast<size_t>(location - padded.data()) : text.size();
}

base::Error refusal(simdjson::error_code code, size_t place, std::string_view text,
                    const std::string& source) {
  const auto fault = place < text.size() ? std::nullopt : find_fault(text);
  if (fault) return not_json(text, fault->offset, source, words_for(fault->kind));
  return not_json(text, place, source, words_for(code));
}

// A document that is a word alone; the parser would take "false!" for false, and not "null ".
std::optional<Value> word_of(std::string_view text) {
  text.remove_prefix(text.find_first_not_of(kWhiteSpace));
  text = text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
  if (text == "true") return true;
  if (text == "false") return false;
  if (text == "null") return nullptr;
  return std::nullopt;
}

bool is_word(const Value& value) {
  return std::holds_alternative<bool>(value.data) ||
         std::holds_alternative<std::nullptr_t>(value.data);
}

// Fills in `value`, or tells why it can't.
std::optional<base::Error> read(std::string_view text, const std::string& source, Value& value) {
  if (const auto bad = base::first_invalid_utf8(text)) {
    return not_json(text, *bad, source, "a byte that is not UTF-8");
  }
  if (text.find_first_not_of(kWhiteSpace) == std::string_view::npos) {
    return base::Error(base::exit_bad_input, fmt::format("{} is empty", source));
  }
  if (std::optional<Value> word = word_of(text)) {
    value = *std::move(word);
    return std::nullopt;
  }
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  const simdjson::error_code begun = parser.iterate(padded).get(document);
  if (begun != simdjson::SUCCESS) return refusal(begun, text.size(), text, source);
  try {
    value = tree_of(document, 1);
    if (is_word(value)) throw simdjson::simdjson_error(simdjson::T_ATOM_ERROR);
    const bool something_left = document.current_location().error() == simdjson::SUCCESS;
    if (!something_left) return std::nullopt;
    return refusal(simdjson::TRAILING_CONTENT, text.size(), text, source);
  } catch (const simdjson::simdjson_error& error) {
    return refusal(error.error(), place_of(error.error(), document, text, padded), text, source);
  }
}

}  // namespace

Value parse(std::string_view text, const std::string& source) {
  Value value;
  const auto error = read(text, source, value);
  if (error) throw base::Error(*error);
  return value;
}

std::optional<Value> try_parse(std::string_view text) {
  Value value;
  if (read(text, "", value)) return std::nullopt;
  return value;
}

std::string simdjson_version() {
  return fmt::format("{}.{}.{}", int{simdjson::SIMDJSON_VERSION_MAJOR},
                     int{simdjson::SIMDJSON_VERSION_MINOR},
                     int{simdjson::SIMDJSON_VERSION_REVISION});
}

}  // namespace json
