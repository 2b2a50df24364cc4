#include "eventstore/file_source.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "eventstore/dead_letters.hpp"
#include "eventstore/event_json.hpp"

namespace eventstore {

FileSource::FileSource(std::string path, Place from, std::string processor)
    : path_(std::move(path)), processor_(std::move(processor)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) {
    throw base::Error(base::exit_missing_input,
                      fmt::format("can't read the events in {}: it is a directory", path_));
  }
  file_.open(path_ == "-" ? "/dev/stdin" : path_, std::ios::binary);
  if (!file_.is_open()) {
    throw base::Error(base::exit_missing_input,
                      fmt::format("can't read the events in {}: {}", path_, std::strerror(errno)));
  }
  if (from.kind != Place::Kind::after) return;
  while (line_ < from.revision && std::getline(file_, text_)) ++line_;
}

Came FileSource::next(Event& event, int64_t /*wait_ms*/) {
  while (std::getline(file_, text_)) {
    ++line_;
    if (base::trim(text_).empty()) continue;
    if (!processor_.empty() && processor_of(text_) != processor_) continue;
    event = read_event_json(text_, fmt::format("{}: line {}", path_, line_));
    return Came::event;
  }
  if (file_.bad()) {
    throw base::Error(base::exit_local_io, fmt::format("can't read on in {}", path_));
  }
  return Came::end;
}

}  // namespace eventstore
