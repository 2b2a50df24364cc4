// The protocol of an HTTP/2 connection on nghttp2: bytes in, bytes out, and calls between them. No
// socket and no clock. Internal to src/net: it speaks nghttp2's types.
//
// One thread uses a session; it meets the callers in the calls' shared part only. The window of the
// connection is given back at once, that of a call as its reader takes the bytes: a call that
// nobody reads holds up no other.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/http2_stream.hpp"

namespace net {

class Http2Session {
 public:
  // `place` is HOST:PORT.
  Http2Session(std::string place, bool tls, size_t window_bytes);
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;
  ~Http2Session() = default;

  // Does what a call wants: begin, go on sending, give window back, cancel.
  void serve(const std::shared_ptr<Http2Stream>& stream);
  // Bytes from the server. Throws 76 when it speaks no HTTP/2.
  void take(std::string_view bytes);
  // Appends what is for the server until `to` holds `most` bytes or more.
  void give(std::string& to, size_t most);
  void ping();
  void say_goodbye();
  // Fails the calls that have no whole reply.
  void end_all(const base::Error& why);

  // The server has spoken HTTP/2.
  bool has_settings() const { return has_settings_; }
  // Why no new calls are taken by the server: 75.
  const std::optional<base::Error>& going_away() const { return going_away_; }
  // Throws 75 or 76 when nothing more is to be read or written.
  void throw_if_over() const;

 private:
  static ssize_t give_body(nghttp2_session* session, int32_t id, uint8_t* to, size_t most,
                           uint32_t* flags, nghttp2_data_source* source, void* self);
  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int take_header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                         size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags,
                         void* self);
  static int take_data(nghttp2_session* session, uint8_t flags, int32_t id, const uint8_t* data,
                       size_t size, void* self);
  static int take_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int after_sending(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int not_sent(nghttp2_session* session, const nghttp2_frame* frame, int why, void* self);
  static int take_close(nghttp2_session* session, int32_t id, uint32_t code, void* self);

  void begin(const std::shared_ptr<Http2Stream>& stream);
  void take_reply_frame(const nghttp2_frame& frame);
  void take_goaway(const nghttp2_goaway& frame);
  void close(int32_t id, const base::Error& why);
  base::Error why_closed(const Http2Stream& stream, uint32_t code) const;
  void check_first_bytes(std::string_view bytes);

  std::string place_;
  std::string scheme_;
  std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)> session_{nullptr,
                                                                            nghttp2_session_del};
  std::map<int32_t, std::shared_ptr<Http2Stream>> streams_;  // not closed
  std::string first_bytes_;  // from the server, as long as it has not sent its SETTINGS
  bool has_settings_ = false;
  std::optional<base::Error> going_away_;
  std::optional<base::Error> broken_rule_;  // that the server broke
};

}  // namespace net
