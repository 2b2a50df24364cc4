#include "eventstore/say.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "eventstore/data.hpp"
#include "eventstore/timestamp.hpp"

namespace eventstore {

namespace {

constexpr std::string_view kData = "data.";

void refuse_unknown(const std::string& name, const std::vector<std::string>& own) {
  std::vector<std::string> known{"stream", "number", "type", "id", "time", "processor", "data"};
  known.insert(known.end(), own.begin(), own.end());
  const bool is_field = name.starts_with(kData) && name.size() > kData.size();
  if (is_field || std::find(known.begin(), known.end(), name) != known.end()) return;
  const std::string meant = base::nearest(name, known);
  throw base::Error(
      base::exit_bad_input,
      fmt::format("{{{}}} is not known; {}", base::one_line(name),
                  meant.empty() ? "known are " + base::join(known, ", ") + " and data.FIELD"
                                : fmt::format("did you mean {{{}}}?", meant)));
}

std::string own_value(const SayValues& values, std::string_view name) {
  for (const auto& [known, text] : values) {
    if (known == name) return text;
  }
  return "";
}

std::string value_of(std::string_view name, const Event& event, const SayValues& values) {
  if (name == "stream") return base::one_line(event.stream);
  if (name == "number") return std::to_string(event.revision);
  if (name == "type") return base::one_line(event.type);
  if (name == "id") return event.id;
  if (name == "time") {
    std::string time;
    append_time(event.created_ticks, time);
    return time;
  }
  if (name == "data") return base::one_line(event.data);
  if (!name.starts_with(kData)) return own_value(values, name);
  return base::one_line(field_text(event, name.substr(kData.size())));
}

}  // namespace

Say read_say(const std::string& text, const std::vector<std::string>& own) {
  Say say{{}};
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool is_brace = c == '{' || c == '}';
    const bool is_double = is_brace && at + 1 < text.size() && text[at + 1] == c;
    if (!is_brace || is_double) {
      say.back().text += c;
      at += is_double ? 1 : 0;
      continue;
    }
    const size_t end = text.find('}', at);
    if (c == '}' || end == std::string::npos) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("a {} without its partner; write {}{} for the sign", c, c, c));
    }
    say.back().name = text.substr(at + 1, end - at - 1);
    refuse_unknown(say.back().name, own);
    say.emplace_back();
    at = end;
  }
  return say;
}

std::string said(const Say& say, const Event& event, const SayValues& values) {
  std::string line;
  for (const SayPart& part : say) {
    line += part.text;
    if (!part.name.empty()) line += value_of(part.name, event, values);
  }
  return line;
}

}  // namespace eventstore
