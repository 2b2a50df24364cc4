// What is printed of an event, by a text of the user's with places in it:
//   %s stream   %n number (the revision to go on from)   %t type   %d data   %m metadata
//   %T time (RFC 3339, UTC)   %i id   %c content type   %p position "commit/prepare", "-" when it
//   is not known   %r retries   %% a per cent sign   \n \t \r \0 \\ \xHH bytes
//
// Where a link led to the event, number and position are the link's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.hpp"

namespace eventstore {

class Format {
 public:
  // Throws 64 that names the place when something else stands behind % or \.
  explicit Format(std::string_view text);

  void append(const Event& event, std::string& to) const;

 private:
  struct Part {
    char what;  // 0: the text as it is
    std::string text;
  };
  void add_text(char byte);

  std::vector<Part> parts_;
};

}  // namespace eventstore
