// Where printed events go: standard output, or a file that is synced to disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "commands/options.hpp"
#include "commands/outlet.hpp"
#include "eventstore/event.hpp"
#include "eventstore/format.hpp"

namespace commands {

class EsSink {
 public:
  // Throws 64 for a wrong format, 74 when the file can't be opened.
  EsSink(const Options& options, base::Clock clock);

  void add(const eventstore::Event& event);

  bool is_empty() const { return text_.empty(); }
  bool is_full() const;

  // Writes what was added. A reader that stalls is waited for, until a stop is asked for. Throws
  // 74.
  void flush();

  // The same, and for good. Throws 74, also when nobody has read all after some seconds.
  void end();

 private:
  enum class Shape { json, format, line, coloured };
  void write_file();
  void sync_file();

  Shape shape_ = Shape::line;
  bool is_json_for_runner_ = false;
  std::optional<eventstore::Format> format_;
  base::Clock clock_;
  Outlet outlet_;
  std::string path_;
  std::optional<base::Descriptor> file_;
  int64_t synced_ms_ = 0;
  bool is_synced_ = true;
  std::string text_;
  std::string outgoing_;
};

}  // namespace commands
