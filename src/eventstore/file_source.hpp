// Events out of a file of JSON Lines (eventstore/event_json.hpp), in the order of its lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "eventstore/source.hpp"

namespace eventstore {

class FileSource : public Source {
 public:
  // "-" is standard input. Goes on behind the line with the number of `from`, counted from 1.
  // Of dead letters only those of one processor are given, when it is named. Throws 66 when the
  // file can't be opened.
  FileSource(std::string path, Place from, std::string processor = "");

  // Empty lines are passed over. Throws 65 for a line that is no event and for a file that ends
  // before the place to go on from, 74 when reading fails.
  Came next(Event& event, int64_t wait_ms) override;

  // By the number of the line.
  Place place() const override { return {Place::Kind::after, line_, {}}; }

 private:
  Came read_line(std::string_view& line, int64_t wait_ms);
  Came read_more(int64_t wait_ms);

  const std::string path_;
  const std::string processor_;
  const uint64_t done_lines_;
  base::Descriptor file_;
  std::string text_;     // what was read, from the last line on
  size_t at_ = 0;        // in it, behind that line
  size_t searched_ = 0;  // up to here no line ends
  bool is_over_ = false;
  uint64_t line_ = 0;
};

}  // namespace eventstore
