// Events out of a file of JSON Lines (eventstore/event_json.hpp), in the order of its lines.
#pragma once

#include <fstream>
#include <string>

#include "eventstore/source.hpp"

namespace eventstore {

class FileSource : public Source {
 public:
  // "-" is standard input. Goes on behind the line with the number of `from`, counted from 1.
  // Of dead letters only those of one processor are given, when it is named. Throws 66 when the
  // file can't be opened.
  FileSource(std::string path, Place from, std::string processor = "");

  // Empty lines are passed over. Throws 65 for a line that is no event, 74 when reading fails.
  Came next(Event& event, int64_t wait_ms) override;

  // By the number of the line.
  Place place() const override { return {Place::Kind::after, line_, {}}; }

 private:
  const std::string path_;
  const std::string processor_;
  std::ifstream file_;
  std::string text_;
  uint64_t line_ = 0;
};

}  // namespace eventstore
