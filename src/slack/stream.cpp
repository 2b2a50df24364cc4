#include "slack/stream.hpp"

#include <algorithm>
#include <vector>

#include "base/utf8.hpp"

namespace slack {

namespace {

constexpr size_t kLongestCodePoint = 4;
constexpr int64_t kLongestIntervalAtEndMs = 1'000;  // what Slack asks for

// The rest behind the last line break is a line when nothing more comes.
int64_t count_lines(const std::string& text, bool more_comes) {
  const auto breaks = std::count(text.begin(), text.end(), '\n');
  const bool has_rest = !text.empty() && text.back() != '\n';
  return breaks + (has_rest && !more_comes ? 1 : 0);
}

// Bytes at the end that may be the beginning of a code point whose rest has not come yet.
size_t cut_code_point(const std::string& text) {
  for (size_t back = 1; back < kLongestCodePoint && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte >= 0xC0) return back;
  }
  return 0;
}

// What goes into the next message: the lines at the start of the buffer that fit, at least one. The
// rest behind the last line break is a line when nothing more comes, or when there is no line
// break; half a code point is left out then.
struct Batch {
  std::string lines;
  std::string text;  // encoded
};

Batch next_batch(const std::string& buffer, bool more_comes, const StreamOptions& options) {
  Batch batch;
  size_t at = 0;
  size_t units = 0;
  while (at < buffer.size()) {
    const size_t line_break = buffer.find('\n', at);
    if (line_break == std::string::npos && more_comes) break;
    const size_t end = std::min(line_break, buffer.size() - 1) + 1;
    const std::string line = buffer.substr(at, end - at);
    const std::string encoded = options.encode(line);
    units += base::utf16_length(encoded);
    if (units > options.most_units + 1 && at > 0) break;  // its last line break does not count
    batch.lines += line;
    batch.text += encoded;
    at = end;
    if (units >= options.most_units) break;
  }
  if (!batch.lines.empty()) return batch;
  batch.lines = buffer.substr(0, buffer.size() - cut_code_point(buffer));
  if (batch.lines.empty()) batch.lines = buffer;
  batch.text = options.encode(batch.lines);
  return batch;
}

class Stream {
 public:
  Stream(const Feed& feed, const base::Clock& clock, const StreamOptions& options)
      : feed_(feed), clock_(clock), options_(options), next_ms_(clock.monotonic_ms()) {}

  StreamResult run() {
    try {
      while (open_ || !buffer_.empty()) step();
    } catch (const base::Error& error) {
      result_.error = error;
    }
    result_.undelivered = count_lines(buffer_, false);
    if (!result_.error) result_.error = feed_error_;
    return result_;
  }

 private:
  // Reads, waits or posts, whichever is next.
  void step() {
    const bool is_due = has_batch() && clock_.monotonic_ms() >= next_ms_;
    const bool may_read = open_ && buffer_.size() < options_.buffer_bytes;
    if (may_read) take(is_due);
    if (!may_read && !is_due) wait_for_turn();
    if (is_due) deliver(next_batch(buffer_, open_, options_));
  }

  bool has_batch() const {
    const bool is_full = buffer_.size() >= options_.buffer_bytes;
    return !buffer_.empty() && (!open_ || is_full || buffer_.find('\n') != std::string::npos);
  }

  void take(bool is_due) {
    int64_t wait_ms = -1;
    if (is_due) wait_ms = 0;
    if (!is_due && has_batch()) wait_ms = next_ms_ - clock_.monotonic_ms();
    try {
      const base::Came came = feed_(buffer_, options_.buffer_bytes - buffer_.size(), wait_ms);
      open_ = came == base::Came::bytes || came == base::Came::nothing;
    } catch (const base::Error& error) {  // what was read before is delivered all the same
      feed_error_ = error;
      open_ = false;
    }
    if (open_) return;
    interval_ms_ = std::min(interval_ms_, kLongestIntervalAtEndMs);
    next_ms_ = std::min(next_ms_, clock_.monotonic_ms() + interval_ms_);
    if (options_.on_end) options_.on_end();
  }

  // What was not posted when `post` throws is still in the buffer.
  void deliver(const Batch& batch) {
    const bool has_break = batch.text.ends_with('\n');
    const std::string text = batch.text.substr(0, batch.text.size() - (has_break ? 1 : 0));
    for (const std::string& part : split(text, options_.most_units, options_.markup)) {
      wait_for_turn();
      next_ms_ = clock_.monotonic_ms() + interval_ms_;
      options_.post(part, result_.lines);
      ++result_.messages;
    }
    result_.lines += count_lines(batch.lines, open_);
    buffer_.erase(0, batch.lines.size());
  }

  void wait_for_turn() const {
    const int64_t wait_ms = next_ms_ - clock_.monotonic_ms();
    if (wait_ms > 0) clock_.sleep_ms(wait_ms);
  }

  const Feed& feed_;
  const base::Clock& clock_;
  const StreamOptions& options_;
  int64_t interval_ms_ = options_.interval_ms;
  int64_t next_ms_;
  bool open_ = true;
  std::string buffer_;
  std::optional<base::Error> feed_error_;
  StreamResult result_;
};

}  // namespace

StreamResult stream(const Feed& feed, const base::Clock& clock, const StreamOptions& options) {
  return Stream(feed, clock, options).run();
}

}  // namespace slack
