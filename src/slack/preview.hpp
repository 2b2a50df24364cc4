// A message that is not sent yet, for a person to look at.
#pragma once

#include <string>

#include "json/value.hpp"

namespace slack {

// The text of a message's arguments as lines at a terminal: its blocks, those of its attachments,
// or its text where it has no blocks. With `styled`, bold is bold there. Elements that are no text
// (images, buttons) are left out.
std::string shown(const json::Object& arguments, bool styled);

// Its blocks in Slack's Block Kit Builder; "" when it has none.
std::string builder_url(const json::Object& arguments);

}  // namespace slack
