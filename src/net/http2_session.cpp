#include "net/http2_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/utf8.hpp"

namespace net {

namespace {

constexpr int32_t kConnectionWindowBytes = int32_t{1} << 30U;
constexpr size_t kMostWindowBytes = size_t{1} << 30U;
constexpr size_t kMostHeaderBytes = size_t{64} << 10U;  // of a reply, trailers too
constexpr size_t kFirstBytes = 8;

nghttp2_nv field(const std::string& name, const std::string& value) {
  // nghttp2 copies both; its type has no const.
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // NOLINT(*-const-cast)
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

Http2Stream* stream_of(nghttp2_session* session, int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

void check(int result) {
  if (result == NGHTTP2_ERR_NOMEM) {
    throw base::Error(base::exit_our_bug, "no memory is left for HTTP/2");
  }
}

}  // namespace

Http2Session::Http2Session(std::string place, bool tls, size_t window_bytes)
    : place_(std::move(place)), scheme_(tls ? "https" : "http") {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  nghttp2_session* session = nullptr;
  check(nghttp2_session_callbacks_new(&callbacks));
  check(nghttp2_option_new(&option));
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, after_sending);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, not_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, take_close);
  nghttp2_option_set_no_auto_window_update(option, 1);
  const int result = nghttp2_session_client_new2(&session, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  check(result);
  session_.reset(session);

  const auto window = static_cast<uint32_t>(std::clamp<size_t>(window_bytes, 1, kMostWindowBytes));
  const std::array<nghttp2_settings_entry, 3> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMostHeaderBytes}}};
  check(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  check(
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes));
}

// --- What the callers want ---

void Http2Session::begin(const std::shared_ptr<Http2Stream>& stream) {
  static const std::array<std::string, 5> names = {":method", ":scheme", ":authority", ":path",
                                                   "POST"};
  std::vector<nghttp2_nv> fields = {field(names[0], names[4]), field(names[1], scheme_),
                                    field(names[2], place_), field(names[3], stream->path)};
  for (const auto& [name, value] : stream->request) fields.push_back(field(name, value));
  nghttp2_data_provider body{};
  body.source.ptr = stream.get();
  body.read_callback = give_body;
  const int32_t id = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                            &body, stream.get());
  check(id);
  if (id < 0) {
    fail(*stream, {base::exit_retries_spent,
                   fmt::format("no new call is possible to {}: {}", place_, nghttp2_strerror(id))});
    return;
  }
  stream->id = id;
  streams_[id] = stream;
}

void Http2Session::serve(const std::shared_ptr<Http2Stream>& stream) {
  size_t taken_bytes = 0;
  bool goes_on = false;
  bool is_cancelled = false;
  {
    const std::lock_guard lock(stream->mutex);
    if (stream->is_closed) return;
    is_cancelled = stream->is_cancelled;
    goes_on = stream->waits_for_bytes && (!stream->unsent.empty() || stream->is_whole);
    if (goes_on) stream->waits_for_bytes = false;
    std::swap(taken_bytes, stream->taken_bytes);
  }
  if (stream->id < 0 && !is_cancelled) begin(stream);
  if (stream->id < 0 || stream->is_dropped) return;
  if (is_cancelled) {
    stream->is_dropped = true;
    stream->incoming = {};
    check(nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL));
    return;
  }
  if (taken_bytes > 0) {
    check(nghttp2_session_consume_stream(session_.get(), stream->id, taken_bytes));
  }
  if (goes_on) check(nghttp2_session_resume_data(session_.get(), stream->id));
}

ssize_t Http2Session::give_body(nghttp2_session* /*session*/, int32_t /*id*/, uint8_t* to,
                                size_t most, uint32_t* flags, nghttp2_data_source* source,
                                void* /*self*/) {
  auto& stream = *static_cast<Http2Stream*>(source->ptr);
  const std::lock_guard lock(stream.mutex);
  const size_t size = std::min(most, stream.unsent.size() - stream.unsent_at);
  std::copy_n(stream.unsent.data() + stream.unsent_at, size, to);
  stream.unsent_at += size;
  if (stream.unsent_at == stream.unsent.size()) {
    stream.unsent.clear();
    stream.unsent_at = 0;
    if (stream.is_whole) *flags |= NGHTTP2_DATA_FLAG_EOF;
    stream.waits_for_bytes = size == 0 && !stream.is_whole;
  }
  return stream.waits_for_bytes ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(size);
}

void Http2Session::ping() {
  check(nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr));
}

void Http2Session::say_goodbye() {
  check(nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR));
}

void Http2Session::end_all(const base::Error& why) {
  for (const auto& [id, stream] : streams_) fail(*stream, why);
  streams_.clear();
}

// --- Bytes ---

// A server of HTTP/1.1 answers by a line of its own, one of TLS by an alert.
void Http2Session::check_first_bytes(std::string_view bytes) {
  first_bytes_ += bytes.substr(0, kFirstBytes - std::min(first_bytes_.size(), kFirstBytes));
  const char* what = nullptr;
  if (first_bytes_.starts_with("HTTP/")) {
    what = "it answers by HTTP/1; is the port right, and TLS on or off? (tls=true, tls=false)";
  }
  if (first_bytes_.starts_with("\x15\x03")) what = "it speaks TLS; turn that on (tls=true)";
  if (what == nullptr) return;
  throw base::Error(base::exit_malformed_reply,
                    fmt::format("{} speaks no HTTP/2: {}", place_, what));
}

void Http2Session::take(std::string_view bytes) {
  if (!has_settings_) check_first_bytes(bytes);
  const ssize_t result = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  for (const auto& [id, stream] : streams_) hand_over(*stream);
  if (result >= 0) return;
  check(static_cast<int>(result));
  throw base::Error(base::exit_malformed_reply,
                    fmt::format("{} breaks HTTP/2 (RFC 9113): {}", place_,
                                nghttp2_strerror(static_cast<int>(result))));
}

void Http2Session::give(std::string& to, size_t most) {
  while (to.size() < most) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) throw base::Error(base::exit_our_bug, "no memory is left for HTTP/2");
    if (size == 0) return;
    to.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
}

void Http2Session::throw_if_over() const {
  if (nghttp2_session_want_read(session_.get()) != 0) return;
  if (nghttp2_session_want_write(session_.get()) != 0) return;
  if (broken_rule_) throw base::Error(*broken_rule_);
  if (going_away_) throw base::Error(*going_away_);
  throw base::Error(base::exit_retries_spent, fmt::format("the connection to {} is over", place_));
}

// --- What nghttp2 tells ---

// Headers of an interim reply (1xx) give way to the next.
int Http2Session::begin_headers(nghttp2_session* session, const nghttp2_frame* frame,
                                void* /*self*/) {
  Http2Stream* stream = stream_of(session, frame->hd.stream_id);
  if (stream == nullptr || stream->has_reply) return 0;
  const std::lock_guard lock(stream->mutex);
  stream->headers.clear();
  return 0;
}

int Http2Session::take_header(nghttp2_session* session, const nghttp2_frame* frame,
                              const uint8_t* name, size_t name_size, const uint8_t* value,
                              size_t value_size, uint8_t /*flags*/, void* /*self*/) {
  Http2Stream* stream = stream_of(session, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  stream->header_bytes += name_size + value_size + 32;  // as RFC 9113 counts, section 6.5.2
  if (stream->header_bytes > kMostHeaderBytes) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::lock_guard lock(stream->mutex);
  Headers& to = stream->has_reply ? stream->trailers : stream->headers;
  to.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                  std::string(reinterpret_cast<const char*>(value), value_size));
  return 0;
}

int Http2Session::take_data(nghttp2_session* session, uint8_t /*flags*/, int32_t id,
                            const uint8_t* data, size_t size, void* /*self*/) {
  if (nghttp2_session_consume_connection(session, size) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  Http2Stream* stream = stream_of(session, id);
  if (stream == nullptr || stream->is_dropped) return 0;
  stream->incoming.append(reinterpret_cast<const char*>(data), size);
  return 0;
}

int Http2Session::take_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* self) {
  auto& all = *static_cast<Http2Session*>(self);
  if (frame->hd.type == NGHTTP2_SETTINGS) all.has_settings_ = true;
  if (frame->hd.type == NGHTTP2_GOAWAY) all.take_goaway(frame->goaway);
  all.take_reply_frame(*frame);
  return 0;
}

void Http2Session::take_reply_frame(const nghttp2_frame& frame) {
  Http2Stream* stream = stream_of(session_.get(), frame.hd.stream_id);
  if (stream == nullptr) return;
  if (frame.hd.type == NGHTTP2_RST_STREAM) stream->is_reset = true;
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  hand_over(*stream);
  const std::lock_guard lock(stream->mutex);
  const bool is_interim = header(stream->headers, ":status").starts_with('1');
  if (frame.hd.type == NGHTTP2_HEADERS && !is_interim) stream->has_reply = true;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  stream->is_ended = true;
  stream->came.notify_one();
}

void Http2Session::take_goaway(const nghttp2_goaway& frame) {
  const std::string_view details(reinterpret_cast<const char*>(frame.opaque_data),
                                 frame.opaque_data_len);
  const std::string words = base::shorten(base::one_line(details), 100);
  going_away_ =
      base::Error(base::exit_retries_spent, fmt::format("{} is going away ({}{}{})", place_,
                                                        nghttp2_http2_strerror(frame.error_code),
                                                        words.empty() ? "" : ": ", words));
}

int Http2Session::after_sending(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                void* self) {
  auto& all = *static_cast<Http2Session*>(self);
  const nghttp2_goaway& goaway = frame->goaway;
  if (frame->hd.type != NGHTTP2_GOAWAY || goaway.error_code == NGHTTP2_NO_ERROR) return 0;
  const std::string_view reason(reinterpret_cast<const char*>(goaway.opaque_data),
                                goaway.opaque_data_len);
  all.broken_rule_ = base::Error(
      base::exit_malformed_reply,
      fmt::format("{} breaks HTTP/2 (RFC 9113): {}{}{}", all.place_,
                  nghttp2_http2_strerror(goaway.error_code), reason.empty() ? "" : ", ", reason));
  return 0;
}

int Http2Session::not_sent(nghttp2_session* /*session*/, const nghttp2_frame* frame, int why,
                           void* self) {
  auto& all = *static_cast<Http2Session*>(self);
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  const base::Error otherwise(
      base::exit_retries_spent,
      fmt::format("the call to {} could not be sent: {}", all.place_, nghttp2_strerror(why)));
  all.close(frame->hd.stream_id, all.going_away_.value_or(otherwise));
  return 0;
}

int Http2Session::take_close(nghttp2_session* /*session*/, int32_t id, uint32_t code, void* self) {
  auto& all = *static_cast<Http2Session*>(self);
  const auto found = all.streams_.find(id);
  if (found != all.streams_.end()) all.close(id, all.why_closed(*found->second, code));
  return 0;
}

base::Error Http2Session::why_closed(const Http2Stream& stream, uint32_t code) const {
  const char* name = nghttp2_http2_strerror(code);
  if (stream.is_reset) {
    return {base::exit_retries_spent, fmt::format("{} reset the call ({})", place_, name)};
  }
  if (going_away_ && code == NGHTTP2_REFUSED_STREAM) return *going_away_;
  if (stream.header_bytes > kMostHeaderBytes) {
    return {base::exit_malformed_reply,
            fmt::format("{} gives a reply with headers of more than {} KiB", place_,
                        kMostHeaderBytes >> 10U)};
  }
  return {base::exit_malformed_reply,
          fmt::format("{} gives a reply that breaks HTTP/2 (RFC 9113): {}", place_, name)};
}

void Http2Session::close(int32_t id, const base::Error& why) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  fail(*found->second, why);
  streams_.erase(found);
}

}  // namespace net
