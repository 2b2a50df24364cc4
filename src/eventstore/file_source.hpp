// Events out of a file of JSON Lines (eventstore/event_json.hpp), in the order of its lines.
#pragma once

#include <fstream>
#include <string>

#include "eventstore/source.hpp"

namespace eventstore {

class FileSource : public Source {
 public:
  // "-" is standard input. Goes on behind the line with the number of `from`, counted from 1.
  // Throws 66 when it can't be opened.
  FileSource(std::string path, Place from);

  // Empty lines are passed over. Throws 65 for a line that is no event, 74 when reading fails.
  Came next(Event& event, int64_t wait_ms) override;

  // By the number of the line.
  Place place() const override { return {Place::Kind::after, line_, {}}; }

 private:
  const std::string path_;
  std::ifstream file_;
  std::string text_;
  uint64_t line_ = 0;
};

}  // namespace eventstore
