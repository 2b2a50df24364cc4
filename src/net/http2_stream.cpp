#include "net/http2_stream.hpp"

namespace net {

void hand_over(Http2Stream& stream) {
  if (stream.incoming.empty()) return;
  const std::lock_guard lock(stream.mutex);
  if (stream.body.empty()) {
    stream.body.swap(stream.incoming);
  } else {
    stream.body += stream.incoming;
  }
  stream.incoming.clear();
  stream.came.notify_one();
}

void fail(Http2Stream& stream, const base::Error& why) {
  hand_over(stream);
  const std::lock_guard lock(stream.mutex);
  stream.is_closed = true;
  if (!stream.is_ended && !stream.failure) stream.failure = why;
  stream.came.notify_one();
}

}  // namespace net
