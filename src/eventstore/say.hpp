// The template of a line that a processor prints: "{stream} {number}: {data.amount}, total
// {total}".
//
// Known are {stream} {number} {type} {id} {time} {processor} {data} {data.a.field}, and what the
// processor adds; {{ and }} are braces. A field that is missing is nothing. What comes from events
// is one line, without control characters.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event.hpp"

namespace eventstore {

// What a processor adds: names with their texts.
using SayValues = std::vector<std::pair<std::string_view, std::string>>;

struct SayPart {
  std::string text;
  std::string name;  // stands behind the text; "" for none
};
using Say = std::vector<SayPart>;

// `own` are the names that the processor adds. Throws 65 for others and for a brace without its
// partner, with a message that wants the place in front of it.
Say read_say(const std::string& text, const std::vector<std::string>& own);

std::string said(const Say& say, const Event& event, const SayValues& values);

}  // namespace eventstore
