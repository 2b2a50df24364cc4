// A call as its caller and the thread of its connection share it. Internal to src/net.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "net/http.hpp"

namespace net {

struct Http2Stream {
  // Shared, under the mutex.
  std::mutex mutex;
  std::condition_variable came;  // body, is_ended or failure
  std::string body;              // not yet taken
  Headers headers;
  Headers trailers;
  bool is_ended = false;               // the reply is whole
  std::optional<base::Error> failure;  // why it never will be
  bool is_closed = false;              // nothing is to be told to the server any more
  size_t taken_bytes = 0;              // their window is not yet given back
  std::string unsent;                  // from unsent_at on
  size_t unsent_at = 0;
  bool is_whole = false;         // nothing comes behind unsent
  bool waits_for_bytes = false;  // nghttp2 waits until there is something in unsent
  bool is_cancelled = false;

  // Set before the session sees it.
  std::string path;
  Headers request;

  // The session's own.
  int32_t id = -1;
  std::string incoming;  // becomes body after each round
  size_t header_bytes = 0;
  bool has_reply = false;  // headers are complete; what comes now are trailers
  bool is_reset = false;   // by the server
  bool is_dropped = false;
};

// What has come in a round becomes the reader's.
void hand_over(Http2Stream& stream);

// The reply will not become whole, unless it is already.
void fail(Http2Stream& stream, const base::Error& why);

}  // namespace net
