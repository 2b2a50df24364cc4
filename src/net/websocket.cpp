#include "net/websocket.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <poll.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "base/utf8.hpp"
#include "net/curl_connection.hpp"
#include "net/url.hpp"
#include "net/websocket_upgrade.hpp"

namespace net {

namespace {

constexpr size_t kMostHeadBytes = size_t{16} << 10U;
constexpr size_t kMostUnsentBytes = size_t{1} << 20U;
constexpr int64_t kReadAtOnceBytes = int64_t{256} << 10U;
constexpr int64_t kGoodbyeMs = 1'000;
constexpr int64_t kLongestPollMs = 60'000;

int stop_while_connecting(void* /*none*/, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return base::stop_asked() ? 1 : 0;
}

base::Error stopped() {
  return {base::exit_interrupted, "stopped while the connection was made"};
}

// One connection: curl carries the bytes, wslay makes frames of them.
class Link {
 public:
  Link(const std::string& http_url, WebSocketOptions options);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { wslay_event_context_free(frames_); }

  void open(const std::string& http_url);
  std::optional<std::string> receive(int64_t wait_ms, const std::vector<int>& wake);
  void send(uint8_t opcode, const std::string& payload);
  void close();
  int64_t received_bytes() const { return received_bytes_; }
  int descriptor() const { return descriptor_; }

 private:
  static ssize_t give_bytes(wslay_event_context_ptr frames, uint8_t* to, size_t most, int flags,
                            void* link);
  static ssize_t take_bytes(wslay_event_context_ptr frames, const uint8_t* from, size_t size,
                            int flags, void* link);
  static int give_mask(wslay_event_context_ptr frames, uint8_t* to, size_t size, void* link);
  static void take_message(wslay_event_context_ptr frames,
                           const wslay_event_on_msg_recv_arg* message, void* link);

  void connect(const std::string& http_url, int64_t until_ms);
  std::string read_head(int64_t until_ms);
  std::optional<size_t> read_some(void* to, size_t most);
  void read_frames();
  bool write_some();
  void write_all(int64_t until_ms);
  bool wait(int64_t wait_ms, const std::vector<int>& wake);
  void throw_if_over();

  WebSocketOptions options_;
  std::string host_;
  CurlHandle curl_;
  char error_text_[CURL_ERROR_SIZE] = "";
  wslay_event_context_ptr frames_ = nullptr;
  int descriptor_ = -1;

  std::string early_;                 // came right behind the head of the reply
  std::deque<std::string> messages_;  // whole, not yet given
  std::deque<std::string> unsent_;    // pieces stay where they are: TLS wants the same bytes again
  size_t unsent_at_ = 0;              // in the first of them
  size_t unsent_bytes_ = 0;
  int64_t received_bytes_ = 0;
  int64_t read_at_once_bytes_ = 0;
  bool paused_ = false;  // there may be more to read than was read
  std::string over_;     // why nothing more will come; "" as long as it may
};

Link::Link(const std::string& http_url, WebSocketOptions options)
    : options_(std::move(options)), host_(origin(http_url)), curl_(new_curl_handle()) {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = give_bytes;
  callbacks.send_callback = take_bytes;
  callbacks.genmask_callback = give_mask;
  callbacks.on_msg_recv_callback = take_message;
  if (wslay_event_context_client_init(&frames_, &callbacks, this) != 0) {
    throw base::Error(base::exit_our_bug, "wslay does not start");
  }
  wslay_event_config_set_max_recv_msg_length(frames_, options_.most_message_bytes);
}

// --- Opening ---

void Link::open(const std::string& http_url) {
  const int64_t until_ms = base::monotonic_ms() + options_.open_timeout_ms;
  connect(http_url, until_ms);
  const std::string key = new_websocket_key();
  unsent_.push_back(upgrade_request(http_url, key, options_.curl.user_agent));
  unsent_bytes_ = unsent_.back().size();
  write_all(until_ms);
  check_upgrade_reply(read_head(until_ms), key, host_);
}

// curl sees the host only: the rest of the URL may be a secret.
void Link::connect(const std::string& http_url, int64_t until_ms) {
  const Ca ca = ca_for(http_url, options_.curl);
  set_connection(curl_.get(), host_, options_.curl, ca, error_text_);
  curl_easy_setopt(curl_.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl_.get(), CURLOPT_HTTPPROXYTUNNEL, 1L);
  curl_easy_setopt(curl_.get(), CURLOPT_TIMEOUT_MS, long{options_.open_timeout_ms});
  curl_easy_setopt(curl_.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl_.get(), CURLOPT_XFERINFOFUNCTION, stop_while_connecting);
  const CURLcode code = curl_easy_perform(curl_.get());
  if (code == CURLE_ABORTED_BY_CALLBACK) throw stopped();
  if (code != CURLE_OK) throw connection_failure(curl_.get(), code, error_text_, http_url, ca);
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &socket);
  descriptor_ = socket;
  if (base::monotonic_ms() > until_ms) {
    throw base::Error(base::exit_unavailable, fmt::format("can't connect to {} in time", host_));
  }
}

// The reply's head without the empty line. What came behind it is kept for the frames.
std::string Link::read_head(int64_t until_ms) {
  std::string head;
  char buffer[4096];
  while (true) {
    if (const auto size = read_some(buffer, sizeof buffer)) {
      head.append(buffer, *size);
      const size_t end = head.find("\r\n\r\n");
      if (std::min(end, head.size()) > kMostHeadBytes) {
        const std::string text =
            fmt::format("the headers of {} are longer than {} KiB", host_, kMostHeadBytes >> 10U);
        throw base::Error(base::exit_malformed_reply, text);
      }
      if (end == std::string::npos) continue;
      early_ = head.substr(end + 4);
      return head.substr(0, end);
    }
    throw_if_over();
    const int64_t left_ms = until_ms - base::monotonic_ms();
    if (left_ms <= 0) {
      const std::string text = fmt::format("{} does not open the WebSocket within {} ms", host_,
                                           options_.open_timeout_ms);
      throw base::Error(base::exit_retries_spent, text);
    }
    wait(left_ms, {});
    if (base::stop_asked()) throw stopped();
  }
}

// --- Bytes ---

// Nothing when nothing is there, or nothing more will come (over_ says so).
std::optional<size_t> Link::read_some(void* to, size_t most) {
  size_t size = 0;
  const CURLcode code = curl_easy_recv(curl_.get(), to, most, &size);
  if (code == CURLE_AGAIN) return std::nullopt;
  if (code != CURLE_OK) {
    over_ = fmt::format("the connection to {} broke: {}", host_, words_of(code, error_text_));
    return std::nullopt;
  }
  if (size == 0) {
    over_ = fmt::format("{} ended the connection", host_);
    return std::nullopt;
  }
  received_bytes_ += static_cast<int64_t>(size);
  return size;
}

// True when all is written, false when the connection takes no more now. Throws 75.
bool Link::write_some() {
  while (!unsent_.empty()) {
    const std::string& piece = unsent_.front();
    size_t size = 0;
    const CURLcode code =
        curl_easy_send(curl_.get(), piece.data() + unsent_at_, piece.size() - unsent_at_, &size);
    if (code == CURLE_AGAIN) return false;
    if (code != CURLE_OK) {
      const std::string text =
          fmt::format("the connection to {} broke: {}", host_, words_of(code, error_text_));
      throw base::Error(base::exit_retries_spent, text);
    }
    unsent_at_ += size;
    unsent_bytes_ -= size;
    if (unsent_at_ < piece.size()) continue;
    unsent_.pop_front();
    unsent_at_ = 0;
  }
  return true;
}

void Link::write_all(int64_t until_ms) {
  while (!write_some()) {
    const int64_t left_ms = until_ms - base::monotonic_ms();
    if (left_ms <= 0) {
      throw base::Error(base::exit_retries_spent, fmt::format("{} takes no more bytes", host_));
    }
    pollfd socket{descriptor_, POLLOUT, 0};
    ::poll(&socket, 1, static_cast<int>(std::min(left_ms, kLongestPollMs)));
  }
}

// Until the socket can be read (or written, if something waits for that). True when it was
// something else that ended the waiting: a stop or a descriptor of `wake`.
bool Link::wait(int64_t wait_ms, const std::vector<int>& wake) {
  std::vector<pollfd> waited_for;
  const bool writes = !unsent_.empty();
  waited_for.push_back({descriptor_, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0});
  waited_for.push_back({base::stop_descriptor(), POLLIN, 0});
  for (const int descriptor : wake) waited_for.push_back({descriptor, POLLIN, 0});
  const int64_t longest_ms = wait_ms < 0 ? kLongestPollMs : std::min(wait_ms, kLongestPollMs);
  const int ready = ::poll(waited_for.data(), waited_for.size(), static_cast<int>(longest_ms));
  if (ready < 0 && errno != EINTR) throw base::Error(base::exit_our_bug, "poll fails");
  for (size_t i = 1; i < waited_for.size(); ++i) {
    if (ready > 0 && waited_for[i].revents != 0) return true;
  }
  return false;
}

// --- Frames ---

// wslay reads the connection. It is told to wait while a message is to be given, so that what
// piles up stays small.
ssize_t Link::give_bytes(wslay_event_context_ptr frames, uint8_t* to, size_t most, int /*flags*/,
                         void* link) {
  auto& self = *static_cast<Link*>(link);
  if (!self.early_.empty()) {
    const size_t size = std::min(most, self.early_.size());
    std::copy_n(self.early_.begin(), size, to);
    self.early_.erase(0, size);
    return static_cast<ssize_t>(size);
  }
  self.paused_ = !self.messages_.empty() || self.read_at_once_bytes_ <= 0;
  const auto size = self.paused_ ? std::nullopt : self.read_some(to, most);
  if (size) {
    self.read_at_once_bytes_ -= static_cast<int64_t>(*size);
    return static_cast<ssize_t>(*size);
  }
  wslay_event_set_error(frames,
                        self.over_.empty() ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

ssize_t Link::take_bytes(wslay_event_context_ptr /*frames*/, const uint8_t* from, size_t size,
                         int /*flags*/, void* link) {
  auto& self = *static_cast<Link*>(link);
  self.unsent_.emplace_back(reinterpret_cast<const char*>(from), size);
  self.unsent_bytes_ += size;
  return static_cast<ssize_t>(size);
}

int Link::give_mask(wslay_event_context_ptr /*frames*/, uint8_t* to, size_t size, void* /*link*/) {
  return RAND_bytes(to, static_cast<int>(size)) == 1 ? 0 : -1;
}

void Link::take_message(wslay_event_context_ptr /*frames*/,
                        const wslay_event_on_msg_recv_arg* message, void* link) {
  auto& self = *static_cast<Link*>(link);
  const std::string payload(reinterpret_cast<const char*>(message->msg), message->msg_length);
  if (message->opcode == WSLAY_TEXT_FRAME) self.messages_.push_back(payload);
  if (message->opcode != WSLAY_CONNECTION_CLOSE) return;
  self.over_ = fmt::format("{} closed the WebSocket", self.host_);
  if (payload.size() < 2) return;
  self.over_ += fmt::format(" (code {}", message->status_code);
  const std::string reason = base::shorten(base::one_line(payload.substr(2)), 100);
  self.over_ += reason.empty() ? ")" : fmt::format(": {})", reason);
}

// Reads what is there, and answers pings and closing.
void Link::read_frames() {
  read_at_once_bytes_ = kReadAtOnceBytes;
  paused_ = false;
  const bool no_memory = wslay_event_recv(frames_) == WSLAY_ERR_NOMEM;  // all else: throw_if_over()
  if (no_memory || wslay_event_send(frames_) != 0) {
    throw base::Error(base::exit_our_bug, "no memory is left for a WebSocket's frames");
  }
  if (unsent_bytes_ > kMostUnsentBytes) {
    const std::string text = fmt::format("{} sends pings and reads no answers", host_);
    throw base::Error(base::exit_malformed_reply, text);
  }
  try {
    write_some();
  } catch (const base::Error& error) {
    // Messages that came before are still to be given.
    if (over_.empty()) over_ = error.what();
  }
}

void Link::throw_if_over() {
  if (!over_.empty()) throw base::Error(base::exit_retries_spent, over_);
  if (wslay_event_get_read_enabled(frames_) != 0) return;
  const uint16_t why = wslay_event_get_status_code_sent(frames_);
  std::string text = fmt::format("{} breaks the WebSocket protocol (RFC 6455)", host_);
  if (why == WSLAY_CODE_MESSAGE_TOO_BIG) {
    text =
        fmt::format("{} sends a message longer than {} bytes", host_, options_.most_message_bytes);
  }
  if (why == WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA) {
    text = fmt::format("{} sends text that is not UTF-8", host_);
  }
  throw base::Error(base::exit_malformed_reply, text);
}

std::optional<std::string> Link::receive(int64_t wait_ms, const std::vector<int>& wake) {
  const int64_t until_ms = base::monotonic_ms() + wait_ms;
  while (true) {
    if (messages_.empty()) read_frames();
    if (!messages_.empty()) {
      std::string message = std::move(messages_.front());
      messages_.pop_front();
      return message;
    }
    throw_if_over();
    int64_t left_ms = wait_ms < 0 ? -1 : std::max<int64_t>(until_ms - base::monotonic_ms(), 0);
    if (left_ms == 0) return std::nullopt;
    if (paused_) left_ms = 0;
    if (wait(left_ms, wake)) return std::nullopt;
  }
}

void Link::send(uint8_t opcode, const std::string& payload) {
  const wslay_event_msg message{opcode, reinterpret_cast<const uint8_t*>(payload.data()),
                                payload.size()};
  const bool queued = over_.empty() && wslay_event_queue_msg(frames_, &message) == 0;
  if (!queued || wslay_event_send(frames_) != 0) {
    const std::string text =
        over_.empty() ? fmt::format("the WebSocket with {} is closed", host_) : over_;
    throw base::Error(base::exit_retries_spent, text);
  }
  write_all(base::monotonic_ms() + options_.send_timeout_ms);
}

void Link::close() {
  const int64_t until_ms = base::monotonic_ms() + kGoodbyeMs;
  try {
    wslay_event_queue_close(frames_, WSLAY_CODE_NORMAL_CLOSURE, nullptr, 0);
    wslay_event_send(frames_);
    write_all(until_ms);
    while (base::monotonic_ms() < until_ms) {
      messages_.clear();
      read_frames();
      throw_if_over();
      pollfd socket{descriptor_, POLLIN, 0};
      if (!paused_)
        ::poll(&socket, 1, static_cast<int>(std::max<int64_t>(until_ms - base::monotonic_ms(), 0)));
    }
  } catch (const base::Error&) {  // it is over, which is what was wanted
  }
  if (over_.empty()) over_ = fmt::format("the WebSocket with {} is closed", host_);
}

}  // namespace

WebSocket connect_websocket(const std::string& url, const WebSocketOptions& options) {
  const std::string http_url = http_url_of(url);
  if (http_url.empty()) {
    throw base::Error(base::exit_configuration, "the address is no ws or wss URL");
  }
  const auto link = std::make_shared<Link>(http_url, options);
  link->open(http_url);
  WebSocket socket;
  socket.receive = [link](int64_t wait_ms, const std::vector<int>& wake) {
    return link->receive(wait_ms, wake);
  };
  socket.send_text = [link](const std::string& text) { link->send(WSLAY_TEXT_FRAME, text); };
  socket.send_ping = [link] { link->send(WSLAY_PING, ""); };
  socket.close = [link] { link->close(); };
  socket.received_bytes = [link] { return link->received_bytes(); };
  socket.descriptor = link->descriptor();
  return socket;
}

}  // namespace net
