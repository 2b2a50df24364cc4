// JSON out without a tree, at the end of a text: for streams of small objects, where building a
// tree would cost more than all the rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace json {

// In quotes and escaped; invalid UTF-8 becomes U+FFFD.
void append_string(std::string& to, std::string_view text);

// An object, a member at a time; it is up to the caller that no name comes twice. Names are the
// program's own: they are not escaped.
class ObjectAppender {
 public:
  explicit ObjectAppender(std::string& to) : to_(&to) { to += '{'; }
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, uint64_t value);
  void truth(std::string_view name, bool value);
  // What is JSON already (is_json() in raw.hpp), with its line breaks as spaces.
  void json(std::string_view name, std::string_view value);
  // One inside of this one, to be closed before this one goes on.
  ObjectAppender object(std::string_view name);
  void close() { *to_ += '}'; }

 private:
  void begin(std::string_view name);

  std::string* to_;
  bool is_empty_ = true;
};

}  // namespace json
