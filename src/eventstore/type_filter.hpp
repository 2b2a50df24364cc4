// A filter applied here: servers filter $all only, not a single stream.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eventstore/event.hpp"
#include "eventstore/messages.hpp"

namespace re2 {
class RE2;
}  // namespace re2

namespace eventstore {

class LocalFilter {
 public:
  // The regular expression (RE2's syntax) may fit anywhere in the name. Throws 64 with RE2's words
  // when it is wrong.
  explicit LocalFilter(const Filter& filter);

  bool takes(const Event& event) const;

 private:
  Filter filter_;
  std::shared_ptr<const re2::RE2> regex_;  // nullptr: by prefixes
};

}  // namespace eventstore
