#include "commands/es_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "eventstore/event_json.hpp"
#include "eventstore/timestamp.hpp"
#include "github/actions.hpp"

namespace commands {

namespace {

constexpr size_t kFullBytes = size_t{64} << 10U;
constexpr int64_t kSyncEveryMs = 500;
constexpr int64_t kLastWaitMs = 5'000;
constexpr size_t kMostShownBytes = 4'000;  // of an event's data in a line for people

bool is_text(const std::string& bytes) {
  return bytes.find('\0') == std::string::npos && !base::first_invalid_utf8(bytes);
}

// "{"amount":5}", or what it is when it is no text.
std::string shown_data(const eventstore::Event& event) {
  if (event.is_missing) return "(the link's target was deleted)";
  if (!is_text(event.data)) {
    return fmt::format("({} bytes of {})", event.data.size(), base::one_line(event.content_type));
  }
  return base::shorten(base::one_line(event.data), kMostShownBytes);
}

// A line for people: time, place, type and data.
void append_line(const eventstore::Event& event, bool is_coloured, std::string& to) {
  std::string time;
  eventstore::append_time(event.created_ticks, time);
  const std::string place =
      fmt::format("{}@{}", event.original_revision(),
                  base::one_line(event.link ? event.link->stream : event.stream));
  const std::string type = base::one_line(event.type);
  if (is_coloured) {
    to += fmt::format("\033[2m{:.23}\033[0m \033[36m{:<20}\033[0m \033[1m{:<20}\033[0m {}\n", time,
                      place, type, shown_data(event));
  } else {
    to += fmt::format("{} {} {} {}\n", time, place, type, shown_data(event));
  }
}

}  // namespace

EsSink::EsSink(const Options& options, base::Clock clock)
    : clock_(std::move(clock)),
      outlet_(options.env(), STDOUT_FILENO),
      path_(options.text("output-file")) {
  const bool is_terminal = path_.empty() && ::isatty(STDOUT_FILENO) == 1;
  if (options.toggle("json")) {
    shape_ = Shape::json;
  } else if (options.is_on("format")) {
    shape_ = Shape::format;
    format_.emplace(options.text("format"));
  } else if (is_terminal && options.env()("NO_COLOR").empty()) {
    shape_ = Shape::coloured;
  }
  is_json_for_runner_ = shape_ == Shape::json && in_actions(options.env());
  if (path_.empty()) return;
  file_.emplace(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (file_->fd < 0) {
    throw base::Error(base::exit_local_io,
                      fmt::format("can't write to {}: {}", path_, std::strerror(errno)));
  }
}

void EsSink::add(const eventstore::Event& event) {
  switch (shape_) {
    case Shape::json:
      eventstore::append_event_json(event, text_);
      text_ += '\n';
      break;
    case Shape::format:
      format_->append(event, text_);
      break;
    case Shape::line:
    case Shape::coloured:
      append_line(event, shape_ == Shape::coloured, text_);
      break;
  }
}

bool EsSink::is_full() const {
  return text_.size() >= kFullBytes;
}

void EsSink::flush() {
  if (file_) {
    write_file();
  } else {
    // The outlet changes what a runner would obey, too, but knows of no JSON.
    outgoing_.swap(text_);
    text_.clear();
    outlet_.take(is_json_for_runner_ ? github::unobeyed_json(outgoing_) : outgoing_);
  }
}

void EsSink::end() {
  flush();
  if (file_) {
    sync_file();
  } else {
    outlet_.end(clock_, kLastWaitMs);
  }
}

void EsSink::write_file() {
  std::string_view left = text_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_->fd, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const std::string why = std::strerror(errno);
      text_.erase(0, text_.size() - left.size());  // the rest may be tried again
      throw base::Error(base::exit_local_io, fmt::format("can't write to {}: {}", path_, why));
    }
    left.remove_prefix(static_cast<size_t>(written));
    is_synced_ = false;
  }
  text_.clear();
  if (clock_.monotonic_ms() - synced_ms_ >= kSyncEveryMs) sync_file();
}

void EsSink::sync_file() {
  if (is_synced_) return;
  const bool is_done = ::fsync(file_->fd) == 0 || errno == EINVAL || errno == EROFS;  // a pipe
  if (!is_done) {
    throw base::Error(base::exit_local_io,
                      fmt::format("can't write to {}: {}", path_, std::strerror(errno)));
  }
  is_synced_ = true;
  synced_ms_ = clock_.monotonic_ms();
}

}  // namespace commands
