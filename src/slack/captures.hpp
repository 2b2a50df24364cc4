// What a regular expression captured, and templates that name it: $1, ${1}, ${name}; $$ is $.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}  // namespace re2

namespace slack {

using Captures = std::map<std::string, std::string>;  // "0" is all that matched

// "0", "1", … and the names of groups.
std::vector<std::string> capture_names(const re2::RE2& match);

// False when the text does not match. A group that took no part captures "".
bool find_captures(const re2::RE2& match, const std::string& text, Captures& captures);

// The captures that a template names, in order; ${ without an end is text.
std::vector<std::string> captures_in(const std::string& text);

// The template with each capture's text in place of its name, passed through `made_safe`.
std::string filled(const std::string& text, const Captures& captures,
                   std::string (*made_safe)(std::string_view));

}  // namespace slack
