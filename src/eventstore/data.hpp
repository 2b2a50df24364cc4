// Looks into an event's data, where that is JSON, with numbers of any size. Fields are named by a
// dotted path: "order.total".
#pragma once

#include <string>
#include <string_view>

#include "eventstore/event.hpp"

namespace eventstore {

// "event 7 of orders", for errors.
std::string name_of(const Event& event);

// The field as JSON; "" when there is none, or the data is not JSON.
std::string raw_field(const Event& event, std::string_view path);

// A field's text, when it is one, else its JSON; "" as above.
std::string field_text(const Event& event, std::string_view path);

// By what events are kept in their order when several are worked on at once: the field's text, ""
// when it is missing or the data is no JSON; without a path the stream.
std::string key_of(const Event& event, const std::string& path);

}  // namespace eventstore
