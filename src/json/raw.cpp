#include "json/raw.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <new>

#include "base/error.hpp"
#include "json/read.hpp"

namespace json {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kDeepest = 1'000;

// What is larger is read by a parser of its own, whose memory goes away with it.
constexpr size_t kMostKeptBytes = size_t{64} << 10U;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kOfNumbers = "+-.0123456789eE";

void drop_digits(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kDigits), text.size()));
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

// By JSON's grammar (RFC 8259, section 6), whatever its size.
bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!starts_with_digit(text)) return false;
  if (text.front() == '0') {
    text.remove_prefix(1);
  } else {
    drop_digits(text);
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!starts_with_digit(text)) return false;
    drop_digits(text);
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!starts_with_digit(text)) return false;
    drop_digits(text);
  }
  return text.empty();
}

// The text with each number as 0, for a parser that wants numbers in 64 bits.
std::string without_numbers(std::string_view text) {
  std::string result;
  bool is_inside = false;  // of a string
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (!is_inside && (c == '-' || starts_with_digit(text.substr(at, 1)))) {
      const size_t end = std::min(text.find_first_not_of(kOfNumbers, at), text.size());
      const std::string_view number = text.substr(at, end - at);
      result += is_number(number) ? "0" : number;
      at = end - 1;
      continue;
    }
    result += c;
    if (c == '"') is_inside = !is_inside;
    if (is_inside && c == '\\' && at + 1 < text.size()) result += text[++at];
  }
  return result;
}

// A parser that takes as many levels.
struct Parser : simdjson::dom::parser {
  explicit Parser(size_t deepest) {
    if (allocate(0, deepest) != simdjson::SUCCESS) throw std::bad_alloc();
  }
};

bool is_json(Parser& parser, std::string_view text) {
  const simdjson::error_code error = parser.parse(text.data(), text.size()).error();
  if (error != simdjson::NUMBER_ERROR) return error == simdjson::SUCCESS;
  const std::string other = without_numbers(text);
  return parser.parse(other.data(), other.size()).error() == simdjson::SUCCESS;
}

RawMember member_of(simdjson::simdjson_result<ondemand::field> field) {
  RawMember member;
  member.name = std::string_view(field.unescaped_key());
  ondemand::value value = field.value();
  member.is_string = value.type() == ondemand::json_type::string;
  if (member.is_string) {
    member.raw = value.raw_json_token();
    member.raw = member.raw.substr(0, member.raw.rfind('"') + 1);  // white space may follow
    member.string = value.get_string();
  } else {
    member.raw = std::string_view(simdjson::to_json_string(value));
  }
  return member;
}

}  // namespace

bool is_json(std::string_view text) {
  if (text.size() > kMostKeptBytes) {
    Parser parser(kDeepest);
    return is_json(parser, text);
  }
  thread_local Parser kept(kDeepest);
  return is_json(kept, text);
}

void each_member(std::string_view text, const std::string& source,
                 const std::function<void(const RawMember&)>& on_member) {
  Parser checker(kDeepest + 2);
  if (!is_json(checker, text)) {
    parse(text, source);  // which says where
    throw base::Error(base::exit_bad_input, fmt::format("{} is not JSON", source));
  }
  const size_t start = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  if (!text.substr(start).starts_with('{')) {
    throw base::Error(base::exit_bad_input, fmt::format("{} is no JSON object", source));
  }
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  try {
    ondemand::document document = parser.iterate(padded);
    for (auto field : document.get_object()) on_member(member_of(field));
  } catch (const simdjson::simdjson_error& error) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} is not JSON: {}", source, error.what()));
  }
}

}  // namespace json
