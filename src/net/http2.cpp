#include "net/http2.hpp"

#include <chrono>
#include <utility>

#include "net/http2_link.hpp"

namespace net {

namespace {

class Call : public Http2Call {
 public:
  Call(std::shared_ptr<Http2Link> link, std::shared_ptr<Http2Stream> stream)
      : link_(std::move(link)), stream_(std::move(stream)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() override;

  Http2Came read(std::string& to, int64_t wait_ms) override;
  void write(std::string_view bytes) override;
  void finish() override;
  Headers headers() const override;
  Headers trailers() const override;

 private:
  std::shared_ptr<Http2Link> link_;
  std::shared_ptr<Http2Stream> stream_;
};

Call::~Call() {
  {
    const std::lock_guard lock(stream_->mutex);
    stream_->is_cancelled = true;
    stream_->body = {};
    if (stream_->is_closed) return;
  }
  link_->wake(stream_);
}

// The thread is woken for a quarter of the window, not for every piece.
Http2Came Call::read(std::string& to, int64_t wait_ms) {
  bool gives_window_back = false;
  {
    std::unique_lock lock(stream_->mutex);
    const auto has_come = [this] {
      return !stream_->body.empty() || stream_->is_ended || stream_->failure;
    };
    if (wait_ms > 0) stream_->came.wait_for(lock, std::chrono::milliseconds(wait_ms), has_come);
    if (stream_->body.empty()) {
      if (stream_->failure) throw base::Error(*stream_->failure);
      return stream_->is_ended ? Http2Came::end : Http2Came::nothing;
    }
    stream_->taken_bytes += stream_->body.size();
    gives_window_back = !stream_->is_ended && stream_->taken_bytes >= link_->window_bytes() / 4;
    if (to.empty()) {
      to.swap(stream_->body);
    } else {
      to += stream_->body;
      stream_->body.clear();
    }
  }
  if (gives_window_back) link_->wake(stream_);
  return Http2Came::data;
}

void Call::write(std::string_view bytes) {
  bool wakes = false;
  {
    const std::lock_guard lock(stream_->mutex);
    if (stream_->is_closed || bytes.empty()) return;
    stream_->unsent += bytes;
    wakes = stream_->waits_for_bytes;
  }
  if (wakes) link_->wake(stream_);
}

void Call::finish() {
  {
    const std::lock_guard lock(stream_->mutex);
    stream_->is_whole = true;
    if (stream_->is_closed || !stream_->waits_for_bytes) return;
  }
  link_->wake(stream_);
}

Headers Call::headers() const {
  const std::lock_guard lock(stream_->mutex);
  return stream_->headers;
}

Headers Call::trailers() const {
  const std::lock_guard lock(stream_->mutex);
  return stream_->trailers;
}

}  // namespace

Http2Connection::Http2Connection(const std::string& host, uint16_t port,
                                 const Http2Options& options)
    : link_(std::make_shared<Http2Link>(host, port, options)) {
  link_->start();
}

Http2Connection::~Http2Connection() {
  link_->stop();
}

std::unique_ptr<Http2Call> Http2Connection::call(const std::string& path, const Headers& headers,
                                                 std::string_view body, bool is_whole) {
  auto stream = std::make_shared<Http2Stream>();
  stream->path = path;
  stream->request = headers;
  stream->unsent = body;
  stream->is_whole = is_whole;
  link_->open(stream);
  return std::make_unique<Call>(link_, stream);
}

std::string nghttp2_version_text() {
  return nghttp2_version(0)->version_str;
}

}  // namespace net
