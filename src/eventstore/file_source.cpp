#include "eventstore/file_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"
#include "eventstore/dead_letters.hpp"
#include "eventstore/event_json.hpp"

namespace eventstore {

namespace {

constexpr size_t kBytesAtOnce = 65'536;
constexpr size_t kMostLineBytes = size_t{64} << 20U;

// Standard input as it is: it may be a socket, which has no name to be opened by.
int open_events(const std::string& path) {
  return path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

base::Error cant_read(const std::string& path, int reason) {
  return {base::exit_missing_input,
          fmt::format("can't read the events in {}: {}", path, std::strerror(reason))};
}

}  // namespace

FileSource::FileSource(std::string path, Place from, std::string processor)
    : path_(std::move(path)),
      processor_(std::move(processor)),
      done_lines_(from.kind == Place::Kind::after ? from.revision : 0),
      file_(open_events(path_)) {
  struct stat kind = {};
  if (file_.fd < 0 || ::fstat(file_.fd, &kind) != 0) throw cant_read(path_, errno);
  if (S_ISDIR(kind.st_mode)) throw cant_read(path_, EISDIR);
}

Came FileSource::next(Event& event, int64_t wait_ms) {
  std::string_view line;
  while (true) {
    const Came came = read_line(line, wait_ms);
    if (came == Came::end && line_ < done_lines_) {
      throw base::Error(
          base::exit_bad_input,
          fmt::format("{} has {} lines, but {} were done: it is another file now; checkpoints "
                      "reset begins anew",
                      path_, line_, done_lines_));
    }
    if (came != Came::event) return came;
    if (++line_ <= done_lines_ || base::trim(std::string(line)).empty()) continue;
    if (!processor_.empty() && processor_of(line) != processor_) continue;
    event = read_event_json(line, fmt::format("{}: line {}", path_, line_));
    return Came::event;
  }
}

// Without its line break. The last one need not have any.
Came FileSource::read_line(std::string_view& line, int64_t wait_ms) {
  while (true) {
    const size_t end = text_.find('\n', searched_);
    const bool is_whole = end != std::string::npos;
    if (is_whole || (is_over_ && at_ < text_.size())) {
      line = std::string_view(text_).substr(at_, is_whole ? end - at_ : end);
      at_ = is_whole ? end + 1 : text_.size();
      searched_ = at_;
      return Came::event;
    }
    const Came came = read_more(wait_ms);
    if (came != Came::event) return came;
  }
}

// event: some bytes, or the end of a last line without a line break.
Came FileSource::read_more(int64_t wait_ms) {
  if (is_over_) return Came::end;
  pollfd waits = {file_.fd, POLLIN, 0};
  if (::poll(&waits, 1, static_cast<int>(wait_ms)) <= 0) return Came::nothing;
  text_.erase(0, at_);
  if (text_.size() > kMostLineBytes) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{}: line {} is longer than {} MiB, so it is no event", path_,
                                  line_ + 1, kMostLineBytes >> 20U));
  }
  at_ = 0;
  const size_t before = text_.size();
  searched_ = before;
  text_.resize(before + kBytesAtOnce);
  const ssize_t got = ::read(file_.fd, text_.data() + before, kBytesAtOnce);
  const int reason = errno;
  text_.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got < 0 && reason != EINTR && reason != EAGAIN) {
    throw base::Error(base::exit_local_io,
                      fmt::format("can't read on in {}: {}", path_, std::strerror(reason)));
  }
  is_over_ = got == 0;
  if (is_over_) return text_.empty() ? Came::end : Came::event;
  return got < 0 ? Came::nothing : Came::event;
}

}  // namespace eventstore
