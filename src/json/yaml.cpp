#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"

namespace json {

namespace {

constexpr size_t kMostValues = 100'000;
constexpr int kDeepest = 500;

base::Error not_yaml(const YAML::Mark& mark, const std::string& source, const std::string& why) {
  if (mark.is_null()) return {base::exit_bad_input, fmt::format("{}: {}", source, why)};
  return {base::exit_bad_input, fmt::format("{} is not YAML: line {}, column {}: {}", source,
                                            mark.line + 1, mark.column + 1, why)};
}

// A double gives that many digits back as they were.
constexpr int kDigitsOfDouble = 15;

// A plain (unquoted) scalar by the core schema: null, boolean, decimal number, else text. A number
// that a double would change stays text: 1700000000.000100 is a message's ts.
Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const bool like_number = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  int64_t whole = 0;
  double real = 0;
  if (like_number && base::read_number(text, whole)) return whole;
  const auto digits =
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (like_number && digits <= kDigitsOfDouble && base::read_number(text, real)) return real;
  return text;
}

Value tree_of(const YAML::Node& node, const std::string& source, size_t& count, int depth) {
  if (depth > kDeepest) {  // an alias inside of what it stands for has no end
    throw not_yaml(node.Mark(), source, fmt::format("nests deeper than {} levels", kDeepest));
  }
  if (++count > kMostValues) {
    throw not_yaml(node.Mark(), source,
                   fmt::format("it is, or aliases make it, larger than {} values", kMostValues));
  }
  if (node.IsSequence()) {
    Array array;
    for (const YAML::Node& item : node) array.push_back(tree_of(item, source, count, depth + 1));
    return array;
  }
  if (node.IsMap()) {
    Object object;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) {
        throw not_yaml(member.first.Mark(), source, "a name must be plain text");
      }
      object.push_back({member.first.Scalar(), tree_of(member.second, source, count, depth + 1)});
    }
    return object;
  }
  if (node.IsNull()) return nullptr;
  const bool quoted = node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
  return quoted ? Value(node.Scalar()) : plain_scalar(node.Scalar());
}

// True when the quote at `start` has one that closes it.
bool is_closed(const std::string& text, size_t start) {
  const char quote = text[start];
  for (size_t at = start + 1; at < text.size(); ++at) {
    const bool is_pair = quote == '"' ? text[at] == '\\' : text.compare(at, 2, "''") == 0;
    if (is_pair) {
      ++at;
    } else if (text[at] == quote) {
      return true;
    }
  }
  return false;
}

// Where a scalar's own text begins: behind its anchor and its tag.
size_t behind_properties(const std::string& text, size_t start) {
  constexpr const char* kSpace = " \t\r\n";
  while (start < text.size() && (text[start] == '&' || text[start] == '!')) {
    start = text.find_first_not_of(kSpace, text.find_first_of(kSpace, start));
  }
  return start;
}

// Hears of a stream only where its documents begin, and of quotes.
struct Beginnings : YAML::EventHandler {
  using Anchor = YAML::anchor_t;
  using Style = YAML::EmitterStyle::value;
  explicit Beginnings(const std::string& text_read) : text(text_read) {}
  const std::string& text;
  YAML::Mark last;
  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, Anchor) override {}
  void OnAlias(const YAML::Mark&, Anchor) override {}
  // The parser takes a quote that is open at the end of the text for closed.
  void OnScalar(const YAML::Mark& mark, const std::string&, Anchor, const std::string&) override {
    const size_t start = behind_properties(text, static_cast<size_t>(mark.pos));
    const bool is_quoted = start < text.size() && (text[start] == '"' || text[start] == '\'');
    if (is_quoted && !is_closed(text, start)) {
      throw YAML::ParserException(mark, "this quote is not closed");
    }
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, Anchor, Style) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, Anchor, Style) override {}
  void OnMapEnd() override {}
};

// YAML::Load drops what follows the first document without a word, and YAML::LoadAll never ends on
// "," (github.com/jbeder/yaml-cpp/pull/1319).
void refuse_what_the_parser_takes(const std::string& text, const std::string& source) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Beginnings beginnings(text);
  if (parser.HandleNextDocument(beginnings) && parser.HandleNextDocument(beginnings)) {
    throw not_yaml(beginnings.last, source, "something stands behind the end of the document");
  }
}

}  // namespace

Value parse_yaml(const std::string& bytes, const std::string& source) {
  constexpr std::string_view mark =
      "\xEF\xBB\xBF";  // of byte order, which the parser's places leave out
  const std::string text = bytes.substr(bytes.starts_with(mark) ? mark.size() : 0);
  if (base::first_invalid_utf8(text)) {
    throw base::Error(base::exit_bad_input, fmt::format("{} is not UTF-8", source));
  }
  try {
    size_t count = 0;
    refuse_what_the_parser_takes(text, source);
    return tree_of(YAML::Load(text), source, count, 0);
  } catch (const YAML::Exception& error) {
    throw not_yaml(error.mark, source, error.msg);
  }
}

std::string yaml_cpp_version() {
  return YAML_CPP_VERSION;
}

}  // namespace json
