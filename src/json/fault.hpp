// Where the strings and brackets of a broken JSON document are broken: simdjson tells only that
// they are. Only called when a document was refused.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace json {

struct Fault {
  enum class Kind {
    unclosed_string,  // offset: its first quote
    control_in_string,
    wrong_escape,
    wrong_bracket,     // a closing one that nothing opened
    unclosed_bracket,  // offset: the opening one
    trailing_content,  // offset: of what stands behind the document
  };
  Kind kind;
  size_t offset;  // bytes
};

// The first fault of those kinds; nothing when there is none.
std::optional<Fault> find_fault(std::string_view text);

}  // namespace json
