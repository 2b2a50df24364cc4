#include "slack/captures.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace slack {

namespace {

// Walks through a template: `on_text` gets what stands as it is, `on_name` the captures' names.
void walk(std::string_view text, const std::function<void(std::string_view)>& on_text,
          const std::function<void(const std::string&)>& on_name) {
  constexpr std::string_view kDigits = "0123456789";
  while (!text.empty()) {
    const size_t dollar = std::min(text.find('$'), text.size());
    on_text(text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (text.empty()) return;
    const size_t close = text.starts_with("${") ? text.find('}') : std::string_view::npos;
    const size_t digits = std::min(text.find_first_not_of(kDigits, 1), text.size());
    if (text.starts_with("$$")) {
      on_text("$");
      text.remove_prefix(2);
    } else if (close != std::string_view::npos) {
      on_name(std::string(text.substr(2, close - 2)));
      text.remove_prefix(close + 1);
    } else if (digits > 1) {
      on_name(std::string(text.substr(1, digits - 1)));
      text.remove_prefix(digits);
    } else {
      on_text("$");
      text.remove_prefix(1);
    }
  }
}

}  // namespace

std::vector<std::string> capture_names(const re2::RE2& match) {
  std::vector<std::string> names;
  for (int i = 0; i <= match.NumberOfCapturingGroups(); ++i) names.push_back(std::to_string(i));
  for (const auto& [name, number] : match.NamedCapturingGroups()) names.push_back(name);
  return names;
}

bool find_captures(const re2::RE2& match, const std::string& text, Captures& captures) {
  const int count = match.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> groups(static_cast<size_t>(count));
  if (!match.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count)) return false;
  for (size_t i = 0; i < groups.size(); ++i) captures[std::to_string(i)] = std::string(groups[i]);
  for (const auto& [name, number] : match.NamedCapturingGroups()) {
    captures[name] = std::string(groups[static_cast<size_t>(number)]);
  }
  return true;
}

std::vector<std::string> captures_in(const std::string& text) {
  std::vector<std::string> names;
  walk(
      text, [](std::string_view) {}, [&](const std::string& name) { names.push_back(name); });
  return names;
}

std::string filled(const std::string& text, const Captures& captures,
                   std::string (*made_safe)(std::string_view)) {
  std::string result;
  walk(
      text, [&](std::string_view part) { result += part; },
      [&](const std::string& name) {
        const auto found = captures.find(name);
        if (found != captures.end()) result += made_safe(found->second);
      });
  return result;
}

}  // namespace slack
