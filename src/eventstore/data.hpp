// Looks into an event's data, where that is JSON. Fields are named by a dotted path: "order.total".
#pragma once

#include <string>
#include <string_view>

#include "eventstore/event.hpp"
#include "json/value.hpp"

namespace eventstore {

// "event 7 of orders", for errors.
std::string name_of(const Event& event);

// nullptr when there is no such field.
const json::Value* find_field(const json::Value& data, std::string_view path);

// A text as it is, anything else as JSON; "" when there is none.
std::string text_of(const json::Value* value);

// By what events are kept in their order when several are worked on at once: the field's text, ""
// when it is missing or the data is no JSON; without a path the stream.
std::string key_of(const Event& event, const std::string& path);

}  // namespace eventstore
