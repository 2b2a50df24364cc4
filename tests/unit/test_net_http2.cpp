// The real client against a server of nghttp2 on the loopback, a thread that plays one connection
// after a script.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/signals.hpp"
#include "certificate.hpp"
#include "net/http2.hpp"

namespace {

using Time = std::chrono::steady_clock;

int64_t ms_since(Time::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Time::now() - start).count();
}

struct Request {
  net::Headers headers;
  std::string body;
  bool whole = false;
};

struct Reply {
  std::string body;
  size_t sent_bytes = 0;
  bool ends = true;
  net::Headers trailers;
};

// One accepted connection, as the server's script sees it.
struct Peer {
  int fd = -1;
  SSL* tls = nullptr;
  bool slowly = false;  // byte by byte
  bool reads = true;
  nghttp2_session* session = nullptr;
  std::map<int32_t, Request> requests;
  std::map<int32_t, Reply> replies;
  std::map<int32_t, uint32_t> resets;  // by the client
  int pongs = 0;
  bool goodbye = false;

  // --- Bytes ---

  size_t read(char* to, size_t most) const {
    if (tls == nullptr) {
      const ssize_t got = ::recv(fd, to, most, 0);
      return got > 0 ? static_cast<size_t>(got) : 0;
    }
    const int got = SSL_read(tls, to, static_cast<int>(most));
    return got > 0 ? static_cast<size_t>(got) : 0;
  }

  bool write(const char* from, size_t size) const {
    while (size > 0) {
      const size_t now = slowly ? 1 : size;
      const ssize_t sent = tls == nullptr ? ::send(fd, from, now, MSG_NOSIGNAL)
                                          : SSL_write(tls, from, static_cast<int>(now));
      if (sent <= 0) return false;
      from += sent;
      size -= static_cast<size_t>(sent);
    }
    return true;
  }

  void raw(const std::string& bytes) const { write(bytes.data(), bytes.size()); }

  // Sends what there is and reads once. False when the connection is over.
  bool step(int wait_ms = 20) {
    while (true) {
      const uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session, &bytes);
      if (size <= 0) break;
      if (!write(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size))) return false;
    }
    pollfd socket{fd, POLLIN, 0};
    const bool pending = tls != nullptr && SSL_pending(tls) > 0;
    if (!reads) std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    if (!reads || (!pending && ::poll(&socket, 1, wait_ms) <= 0)) return true;
    char buffer[65'536];
    const size_t got = read(buffer, sizeof buffer);
    if (got == 0) return false;
    return nghttp2_session_mem_recv(session, reinterpret_cast<uint8_t*>(buffer), got) >= 0;
  }

  bool until(const std::function<bool()>& done, int64_t limit_ms = 5'000) {
    const auto start = Time::now();
    while (!done()) {
      if (ms_since(start) > limit_ms || !step()) return done();
    }
    return true;
  }

  void until_over() {
    until([] { return false; });
  }

  // The id of the n-th request, when it is whole.
  int32_t take(size_t n = 0) {
    const auto nth = [&] {
      auto at = requests.begin();
      std::advance(at, n);
      return at;
    };
    until([&] { return requests.size() > n && nth()->second.whole; });
    return requests.size() > n ? nth()->first : -1;
  }

  // --- Replies ---

  static std::vector<nghttp2_nv> fields_of(const net::Headers& headers) {
    std::vector<nghttp2_nv> fields;
    for (const auto& [name, value] : headers) {
      fields.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                        value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return fields;
  }

  void reply(int32_t id, const net::Headers& headers, const Reply& what) {
    replies[id] = what;
    nghttp2_data_provider provider{};
    provider.source.ptr = &replies[id];
    provider.read_callback = give_body;
    const auto fields = fields_of(headers);
    const bool only = what.body.empty() && what.ends && what.trailers.empty();
    nghttp2_submit_response(session, id, fields.data(), fields.size(), only ? nullptr : &provider);
  }

  void send_more(int32_t id, const std::string& bytes) {
    replies[id].body += bytes;
    nghttp2_session_resume_data(session, id);
  }

  static ssize_t give_body(nghttp2_session* session, int32_t id, uint8_t* to, size_t most,
                           uint32_t* flags, nghttp2_data_source* source, void* /*self*/) {
    auto& reply = *static_cast<Reply*>(source->ptr);
    const size_t size = std::min(most, reply.body.size() - reply.sent_bytes);
    std::copy_n(reply.body.data() + reply.sent_bytes, size, to);
    reply.sent_bytes += size;
    if (reply.sent_bytes < reply.body.size()) return static_cast<ssize_t>(size);
    if (!reply.ends) return size == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (reply.trailers.empty()) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const auto fields = fields_of(reply.trailers);
    nghttp2_submit_trailer(session, id, fields.data(), fields.size());
    return static_cast<ssize_t>(size);
  }

  // --- What the session tells ---

  static Peer& of(void* self) { return *static_cast<Peer*>(self); }

  static int take_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                         size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                         void* self) {
    of(self).requests[frame->hd.stream_id].headers.emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int take_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                       void* self) {
    of(self).requests[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int take_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Peer& peer = of(self);
    const int32_t id = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_RST_STREAM) peer.resets[id] = frame->rst_stream.error_code;
    if (frame->hd.type == NGHTTP2_GOAWAY) peer.goodbye = true;
    if (frame->hd.type == NGHTTP2_PING) peer.pongs += frame->hd.flags & NGHTTP2_FLAG_ACK;
    const bool is_body = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (is_body && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) peer.requests[id].whole = true;
    return 0;
  }

  void begin() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
  }
};

using Script = std::function<void(Peer&)>;
using Settings = std::vector<nghttp2_settings_entry>;

struct Server {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uint16_t port = 0;
  std::thread thread;

  explicit Server(const Script& script, SSL_CTX* tls = nullptr, const Settings& settings = {}) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 5) == 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread = std::thread([this, script, tls, settings] { serve(script, tls, settings); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(listener, SHUT_RDWR);  // if nobody came
    thread.join();
    ::close(listener);
  }

  void serve(const Script& script, SSL_CTX* tls, const Settings& settings) const {
    Peer peer;
    peer.fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer.fd < 0) return;
    const timeval limit{5, 0};  // no script hangs for ever
    ::setsockopt(peer.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(peer.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer.begin();
    nghttp2_submit_settings(peer.session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    if (tls != nullptr) {
      peer.tls = SSL_new(tls);
      SSL_set_fd(peer.tls, peer.fd);
    }
    if (tls == nullptr || SSL_accept(peer.tls) == 1) script(peer);
    SSL_free(peer.tls);
    nghttp2_session_del(peer.session);
    ::close(peer.fd);
  }
};

net::Http2Options plain() {
  net::Http2Options options;
  options.tls = false;
  options.connect_timeout_ms = 5'000;
  return options;
}

struct Failure {
  int code = 0;
  std::string text;
  bool says(const std::string& words) const { return text.find(words) != std::string::npos; }
};

Failure failure_of(const std::function<void()>& action) {
  try {
    action();
    return {};
  } catch (const base::Error& error) {
    return {error.code(), error.what()};
  }
}

struct Outcome {
  std::string body;
  bool ended = false;
  Failure failure;
};

// All of a reply, or `most` bytes of it.
Outcome outcome_of(net::Http2Call& call, size_t most = SIZE_MAX) {
  Outcome outcome;
  const auto start = Time::now();
  outcome.failure = failure_of([&] {
    while (!outcome.ended && outcome.body.size() < most && ms_since(start) < 5'000) {
      outcome.ended = call.read(outcome.body, 1'000) == net::Http2Came::end;
    }
  });
  return outcome;
}

const net::Headers kOk = {{":status", "200"}, {"content-type", "application/grpc"}};
const net::Headers kDone = {{"grpc-status", "0"}};

std::unique_ptr<net::Http2Call> ask(net::Http2Connection& connection) {
  return connection.call("/a.B/C", {{"te", "trailers"}}, "question", true);
}

}  // namespace

TEST_CASE("a request as it was asked, a reply with trailers, at once and byte by byte") {
  for (const bool slowly : {false, true}) {
    Request request;
    std::string port;
    {
      const Server server([&](Peer& peer) {
        peer.slowly = slowly;
        const int32_t id = peer.take();
        peer.reply(id, kOk, {"answer", 0, true, kDone});
        peer.until_over();
        request = peer.requests[id];
      });
      port = std::to_string(server.port);
      net::Http2Connection connection("127.0.0.1", server.port, plain());
      const auto call = ask(connection);
      const Outcome outcome = outcome_of(*call);
      CHECK(outcome.body == "answer");
      CHECK(outcome.ended);
      CHECK(call->headers() == kOk);
      CHECK(call->trailers() == kDone);
      std::string more;
      CHECK(call->read(more, 0) == net::Http2Came::end);
    }
    CHECK(request.body == "question");
    CHECK(net::header(request.headers, ":method") == "POST");
    CHECK(net::header(request.headers, ":scheme") == "http");
    CHECK(net::header(request.headers, ":path") == "/a.B/C");
    CHECK(net::header(request.headers, ":authority") == "127.0.0.1:" + port);
    CHECK(net::header(request.headers, "te") == "trailers");
  }
}

TEST_CASE("a reply of headers only, and one behind an interim reply") {
  const net::Headers only = {{":status", "200"}, {"grpc-status", "5"}};
  for (const bool interim : {false, true}) {
    const Server server([&](Peer& peer) {
      const int32_t id = peer.take();
      const net::Headers early = {{":status", "103"}, {"link", "early"}};
      const auto fields = Peer::fields_of(early);
      if (interim) {
        nghttp2_submit_headers(peer.session, NGHTTP2_FLAG_NONE, id, nullptr, fields.data(),
                               fields.size(), nullptr);
      }
      peer.reply(id, only, {});
      peer.until_over();
    });
    net::Http2Connection connection("127.0.0.1", server.port, plain());
    const auto call = ask(connection);
    const Outcome outcome = outcome_of(*call);
    CHECK(outcome.body.empty());
    CHECK(outcome.ended);
    CHECK(call->headers() == only);
    CHECK(call->trailers().empty());
  }
}

TEST_CASE("nothing yet is no end") {
  const Server server([](Peer& peer) { peer.until_over(); });
  net::Http2Connection connection("127.0.0.1", server.port, plain());
  const auto call = ask(connection);
  std::string body;
  const auto start = Time::now();
  CHECK(call->read(body, 0) == net::Http2Came::nothing);
  CHECK(call->read(body, 50) == net::Http2Came::nothing);
  CHECK(ms_since(start) >= 50);
  CHECK(ms_since(start) < 2'000);
}

TEST_CASE("an unread call stops at its window; PINGs are answered and other calls flow meanwhile") {
  constexpr size_t kWindow = 100'000;
  const std::string much(10 * kWindow, 'm');
  std::atomic<size_t> sent{0};
  std::atomic<bool> stays{false};
  size_t sent_later = 0;
  int pongs = 0;
  {
    const Server server([&](Peer& peer) {
      const int32_t unread = peer.take();
      peer.reply(unread, kOk, {much, 0, true, kDone});
      peer.until([&] { return peer.replies[unread].sent_bytes >= kWindow; });
      nghttp2_submit_ping(peer.session, NGHTTP2_FLAG_NONE, nullptr);
      peer.until([&] { return peer.pongs == 1; });
      pongs = peer.pongs;
      peer.reply(peer.take(1), kOk, {much, 0, true, kDone});
      peer.until([&] { return stays.load(); });
      sent_later = peer.replies[unread].sent_bytes;
      sent = sent_later;
      peer.until_over();
    });
    net::Http2Options options = plain();
    options.window_bytes = kWindow;
    net::Http2Connection connection("127.0.0.1", server.port, options);
    const auto unread = ask(connection);
    const auto read = ask(connection);
    const Outcome outcome = outcome_of(*read);
    CHECK(outcome.ended);
    CHECK(outcome.body == much);
    stays = true;
    while (sent == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const Outcome late = outcome_of(*unread);
    CHECK(late.ended);
    CHECK(late.body == much);
  }
  CHECK(sent_later == kWindow);
  CHECK(pongs == 1);
}

TEST_CASE("a server that sends more than the window breaks the protocol") {
  const Server server([](Peer& peer) {
    const int32_t id = peer.take();
    peer.reply(id, kOk, {"", 0, false, {}});
    peer.step(0);
    const std::string frame =
        std::string("\0\x40\0\0\0\0\0\0", 8) + static_cast<char>(id) + std::string(16'384, 'd');
    for (int i = 0; i < 100; ++i) peer.raw(frame);
    peer.until_over();
  });
  net::Http2Options options = plain();
  options.window_bytes = 40'000;
  net::Http2Connection connection("127.0.0.1", server.port, options);
  const auto call = ask(connection);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // reads nothing yet
  const Outcome outcome = outcome_of(*call);
  CHECK(outcome.body.size() >= 32'768);
  CHECK(outcome.body.size() <= 300'000);  // of 1.6 million
  CHECK(outcome.failure.code == 76);
  CHECK(outcome.failure.says("FLOW_CONTROL_ERROR"));
}

TEST_CASE("a call that is reset fails after what came before; the connection goes on") {
  const Server server([](Peer& peer) {
    const int32_t id = peer.take();
    peer.reply(id, kOk, {"half", 0, false, {}});
    peer.until([&] { return peer.replies[id].sent_bytes == 4; });
    nghttp2_submit_rst_stream(peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
    peer.reply(peer.take(1), kOk, {"whole", 0, true, kDone});
    peer.until_over();
  });
  net::Http2Connection connection("127.0.0.1", server.port, plain());
  const auto call = ask(connection);
  const Outcome outcome = outcome_of(*call);
  CHECK(outcome.body == "half");
  CHECK(outcome.failure.code == 75);
  CHECK(outcome.failure.says("reset the call (INTERNAL_ERROR)"));
  CHECK(outcome_of(*ask(connection)).body == "whole");
}

TEST_CASE("a server that goes away: older calls go on, younger and new ones fail") {
  const Server server([](Peer& peer) {
    const int32_t old = peer.take();
    peer.take(1);
    const std::string reason = "max_age\n\x1b[1m";
    nghttp2_submit_goaway(peer.session, NGHTTP2_FLAG_NONE, old, NGHTTP2_NO_ERROR,
                          reinterpret_cast<const uint8_t*>(reason.data()), reason.size());
    peer.reply(old, kOk, {"the old", 0, false, kDone});
    peer.until([&] { return peer.requests.size() > 2; }, 100);
    peer.replies[old].ends = true;
    peer.send_more(old, " one");
    peer.until_over();
  });
  net::Http2Connection connection("127.0.0.1", server.port, plain());
  const auto old = ask(connection);
  const auto young = ask(connection);
  const Outcome refused = outcome_of(*young);
  CHECK(refused.failure.code == 75);
  CHECK(refused.failure.says("is going away (NO_ERROR: max_age [1m)"));
  const Failure none = failure_of([&] {
    std::string body;
    ask(connection)->read(body, 3'000);
  });
  CHECK(none.code == 75);
  CHECK(none.says("going away"));
  const Outcome outcome = outcome_of(*old);
  CHECK(outcome.body == "the old one");
  CHECK(outcome.ended);
}

TEST_CASE("a connection that breaks or ends within a reply fails all calls") {
  for (const bool by_reset : {true, false}) {
    const Server server([&](Peer& peer) {
      const int32_t id = peer.take();
      peer.take(1);
      peer.reply(id, kOk, {"half", 0, false, {}});
      peer.until([&] { return peer.replies[id].sent_bytes == 4; });
      const linger hard{1, 0};
      if (by_reset) ::setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    });
    net::Http2Connection connection("127.0.0.1", server.port, plain());
    const auto first = ask(connection);
    const auto second = ask(connection);
    const Outcome outcome = outcome_of(*first);
    CHECK(outcome.body == "half");
    CHECK(outcome.failure.code == 75);
    CHECK(outcome.failure.says(":" + std::to_string(server.port) + " broke: "));
    CHECK(outcome.failure.says(by_reset ? "reset by peer" : "ended it"));
    CHECK(outcome_of(*second).failure.code == 75);
    CHECK(failure_of([&] { ask(connection); }).code == 75);
  }
}

TEST_CASE("a server that falls silent is noticed, one that answers PINGs only is not ended") {
  for (const bool answers : {false, true}) {
    const Server server([&](Peer& peer) {
      peer.take();
      if (answers) peer.until_over();
      if (!answers) peer.until([] { return false; }, 50);
      char byte = 0;
      while (!answers && peer.read(&byte, 1) == 1) {
      }
    });
    net::Http2Options options = plain();
    options.keepalive_interval_ms = 100;
    options.keepalive_timeout_ms = 150;
    net::Http2Connection connection("127.0.0.1", server.port, options);
    const auto call = ask(connection);
    std::string body;
    const Failure failure = failure_of([&] { call->read(body, 800); });
    CHECK(failure.code == (answers ? 0 : 75));
    if (!answers) CHECK(failure.says("has not answered for 250 ms"));
  }
}

TEST_CASE("both ways at a time: each write is read before the next") {
  Request request;
  {
    const Server server([&](Peer& peer) {
      peer.until([&] { return peer.requests.size() == 1; });
      const int32_t id = peer.requests.begin()->first;
      peer.reply(id, kOk, {"", 0, false, kDone});
      for (size_t i = 0; i < 50; ++i) {
        peer.until([&] { return peer.requests[id].body.size() > i; });
        peer.send_more(id, "y");
      }
      peer.replies[id].ends = true;
      peer.send_more(id, "z");
      peer.until_over();
      request = peer.requests[id];
    });
    net::Http2Connection connection("127.0.0.1", server.port, plain());
    const auto call = connection.call("/a.B/C", {}, "", false);
    std::string body;
    for (size_t i = 0; i < 50; ++i) {
      call->write("x");
      while (body.size() <= i) {
        if (call->read(body, 3'000) != net::Http2Came::data) break;
      }
    }
    CHECK(outcome_of(*call).ended);
    CHECK(body.size() >= 50);
    call->write("too late");
  }
  CHECK(request.body.starts_with(std::string(50, 'x')));
}

TEST_CASE("a server that reads nothing does not stop what it sends") {
  const Settings wide = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1U << 30U}};
  const Server server(
      [](Peer& peer) {
        peer.until([&] { return peer.requests.size() == 1; });
        nghttp2_submit_window_update(peer.session, NGHTTP2_FLAG_NONE, 0, 1 << 30);
        peer.until([&] { return !peer.requests.begin()->second.body.empty(); });
        peer.reads = false;
        peer.reply(peer.requests.begin()->first, kOk, {"still here", 0, false, {}});
        peer.until([] { return false; }, 300);
      },
      nullptr, wide);
  net::Http2Connection connection("127.0.0.1", server.port, plain());
  const auto call = connection.call("/a.B/C", {}, std::string(size_t{64} << 20U, 'u'), false);
  CHECK(outcome_of(*call, 1).body == "still here");
}

TEST_CASE("a long upload arrives whole") {
  const std::string much(3'000'000, 'u');
  Request request;
  {
    const Server server([&](Peer& peer) {
      const int32_t id = peer.take();
      peer.reply(id, kOk, {"", 0, true, kDone});
      peer.until_over();
      request = peer.requests[id];
    });
    net::Http2Connection connection("127.0.0.1", server.port, plain());
    CHECK(outcome_of(*connection.call("/a.B/C", {}, much, true)).ended);
  }
  CHECK(request.body == much);
}

TEST_CASE("a call that is dropped is cancelled, and its bytes hold up nobody") {
  uint32_t reset = 0;
  {
    const Server server([&](Peer& peer) {
      const int32_t id = peer.take();
      peer.reply(id, kOk, {std::string(1'000'000, 'x'), 0, false, {}});
      peer.until([&] { return peer.resets.contains(id); });
      reset = peer.resets[id];
      peer.reply(peer.take(1), kOk, {"next", 0, true, kDone});
      peer.until_over();
    });
    net::Http2Connection connection("127.0.0.1", server.port, plain());
    {
      const auto dropped = ask(connection);
      outcome_of(*dropped, 1);
    }
    CHECK(outcome_of(*ask(connection)).body == "next");
  }
  CHECK(reset == NGHTTP2_CANCEL);
}

TEST_CASE("a connection that is destroyed says goodbye; its calls live on and fail") {
  bool goodbye = false;
  {
    const Server server([&](Peer& peer) {
      peer.take();
      peer.until_over();
      goodbye = peer.goodbye;
    });
    std::unique_ptr<net::Http2Call> call;
    const auto start = Time::now();
    {
      net::Http2Connection connection("127.0.0.1", server.port, plain());
      call = ask(connection);
      std::string body;
      call->read(body, 20);
    }
    CHECK(ms_since(start) < 1'000);
    CHECK(outcome_of(*call).failure.code == 75);
    call->write("nobody hears that");
  }
  CHECK(goodbye);
}

TEST_CASE("calls of several threads on one connection") {
  const Server server([](Peer& peer) {
    size_t replied = 0;
    peer.until([&] {
      for (const auto& [id, request] : peer.requests) {
        if (!request.whole || peer.replies.contains(id)) continue;
        peer.reply(id, kOk, {std::string(50'000, 'a'), 0, true, kDone});
        ++replied;
      }
      return false;
    });
  });
  net::Http2Options options = plain();
  options.window_bytes = 10'000;
  net::Http2Connection connection("127.0.0.1", server.port, options);
  std::atomic<int> whole{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        const Outcome outcome = outcome_of(*ask(connection));
        if (outcome.ended && outcome.body.size() == 50'000) ++whole;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(whole == 40);
}

// --- Connecting ---

namespace {

Failure failure_to_connect(const Script& script, const net::Http2Options& options,
                           SSL_CTX* tls = nullptr) {
  const Server server(script, tls);
  return failure_of([&] { net::Http2Connection("127.0.0.1", server.port, options); });
}

}  // namespace

TEST_CASE("what is no HTTP/2 server says how to go on") {
  net::Http2Options options = plain();
  const auto answer = [](const std::string& bytes) {
    return [bytes](Peer& peer) {
      peer.raw(bytes);
      char byte = 0;
      while (peer.read(&byte, 1) == 1) {
      }
    };
  };
  const struct {
    const char* bytes;
    int code;
    const char* words;
  } table[] = {
      {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 76, "tls=false"},
      {"\x15\x03\x01 alert", 76, "tls=true"},
      {"220 mail.example ESMTP ready\r\n", 76, "breaks HTTP/2"},
  };
  for (const auto& row : table) {
    const Failure failure = failure_to_connect(answer(row.bytes), options);
    CHECK(failure.code == row.code);
    CHECK(failure.says(row.words));
    CHECK(failure.says("127.0.0.1:"));
  }
  const Failure ended = failure_to_connect([](Peer&) {}, options);
  CHECK(ended.code == 75);
  CHECK(ended.says("TLS or not?"));
  options.connect_timeout_ms = 100;
  const Failure silent = failure_to_connect(answer(""), options);
  CHECK(silent.code == 75);
  CHECK(silent.says("has not answered within 100 ms"));
  options.tls = true;
  options.verify = false;
  const Failure no_tls = failure_to_connect(answer(""), options);
  CHECK(no_tls.code == 69);
  CHECK(no_tls.says("in time"));
  options.connect_timeout_ms = 5'000;
  const Failure no_handshake = failure_to_connect(answer("HTTP/1.1 400 Bad Request\r\n"), options);
  CHECK(no_handshake.code == 69);
  CHECK(no_handshake.says("tls=false"));
}

TEST_CASE("nobody there, and what is no host") {
  uint16_t port = 0;
  {
    const Server server([](Peer&) {});
    port = server.port;
  }
  const Failure refused = failure_of([&] { net::Http2Connection("127.0.0.1", port, plain()); });
  CHECK(refused.code == 69);
  CHECK(refused.says("127.0.0.1:" + std::to_string(port) + ": Connection refused"));
  for (const char* host : {"", "a b", "user@host", "host/path"}) {
    CHECK(failure_of([&] { net::Http2Connection(host, port, plain()); }).code == 78);
  }
  const Failure ipv6 = failure_of([&] { net::Http2Connection("::1", port, plain()); });
  CHECK(ipv6.code == 69);
  CHECK(ipv6.says("[::1]:" + std::to_string(port)));
}

#ifndef __SANITIZE_THREAD__  // ThreadSanitizer knows no threads after a fork
TEST_CASE("a stop ends connecting") {
  const Server silent([](Peer& peer) {
    char byte = 0;
    while (peer.read(&byte, 1) == 1) {
    }
  });
  const pid_t child = ::fork();  // a stop can't be taken back
  if (child == 0) {
    base::stop_on_signals();
    ::alarm(4);
    const pid_t self = ::getpid();
    std::thread other([self] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      ::kill(self, SIGTERM);
    });
    const auto start = Time::now();
    const int code =
        failure_of([&] { net::Http2Connection("127.0.0.1", silent.port, plain()); }).code;
    other.join();
    ::_exit(code == 130 && ms_since(start) < 1'000 ? 7 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}
#endif

// --- TLS ---

namespace {

int choose_h2(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
              unsigned int offered_size, void*) {
  return nghttp2_select_next_protocol(const_cast<unsigned char**>(chosen), size, offered,
                                      offered_size) == 1
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A key and a certificate for one name ("IP:127.0.0.1") that signs itself, in files too.
struct H2Certificate : Certificate {
  explicit H2Certificate(const char* subject) : Certificate(subject) {
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_alpn_select_cb(context, choose_h2, nullptr);
  }
};

net::Http2Options trusting(const Certificate& certificate) {
  net::Http2Options options = plain();
  options.tls = true;
  options.ca.file = certificate.path;
  return options;
}

}  // namespace

TEST_CASE("over TLS: a long reply, an upload, and both ends' goodbye") {
  const H2Certificate certificate("IP:127.0.0.1");
  const std::string much(3'000'000, 'm');
  Request request;
  {
    const Server server(
        [&](Peer& peer) {
          const int32_t id = peer.take();
          peer.reply(id, kOk, {much, 0, true, kDone});
          peer.until([&] { return peer.replies[id].sent_bytes == much.size(); });
          peer.step();
          request = peer.requests[id];
          SSL_shutdown(peer.tls);
          char byte = 0;
          peer.read(&byte, 1);
        },
        certificate.context);
    net::Http2Connection connection("127.0.0.1", server.port, trusting(certificate));
    const auto call = connection.call("/a.B/C", {}, much, true);
    const Outcome outcome = outcome_of(*call);
    CHECK(outcome.ended);
    CHECK(outcome.body == much);
    CHECK(call->trailers() == kDone);
    Failure late;
    for (int i = 0; i < 100 && late.code == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      late = failure_of([&] { ask(connection); });
    }
    CHECK(late.code == 75);
    CHECK(late.says("ended it"));
  }
  CHECK(request.body == much);
  CHECK(net::header(request.headers, ":scheme") == "https");
}

TEST_CASE("over TLS: certificates that are not taken") {
  const H2Certificate here("IP:127.0.0.1");
  const H2Certificate elsewhere("IP:127.0.0.2,DNS:elsewhere.example");
  const Script nothing = [](Peer& peer) { peer.until_over(); };
  net::Http2Options options = trusting(elsewhere);
  const Failure name = failure_to_connect(nothing, options, elsewhere.context);
  CHECK(name.code == 69);
  CHECK(name.says("IP address mismatch"));
  CHECK(name.says("a name that stands in its certificate"));
  const Failure issuer = failure_to_connect(nothing, options, here.context);
  CHECK(issuer.code == 69);
  CHECK(issuer.says("tlsCaFile=FILE"));
  CHECK(issuer.says(elsewhere.path));
  options.ca = {};
  CHECK(failure_to_connect(nothing, options, here.context).says("no CA certificates were found"));
  options.verify = false;
  CHECK(failure_to_connect(nothing, options, elsewhere.context).code == 0);
  options.verify = true;
  options.ca.file = "/nowhere/ca.pem";
  CHECK(failure_to_connect(nothing, options, here.context).code == 78);
}

TEST_CASE("over TLS: a server that knows no h2") {
  const H2Certificate certificate("IP:127.0.0.1");
  SSL_CTX_set_alpn_select_cb(certificate.context, nullptr, nullptr);
  const Script nothing = [](Peer& peer) { peer.until_over(); };
  const Failure failure = failure_to_connect(nothing, trusting(certificate), certificate.context);
  CHECK(failure.code == 76);
  CHECK(failure.says("speaks no HTTP/2 over TLS"));
}

TEST_CASE("over TLS: client certificates") {
  const H2Certificate server("IP:127.0.0.1");
  const H2Certificate client("DNS:client.example");
  REQUIRE(SSL_CTX_load_verify_locations(server.context, client.path, nullptr) == 1);
  SSL_CTX_set_verify(server.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const Script nothing = [](Peer& peer) { peer.until_over(); };
  net::Http2Options options = trusting(server);
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(server.context, newest);
    options.client_certificate_file = options.client_key_file = "";
    const Failure none = failure_to_connect(nothing, options, server.context);
    CHECK(none.code == 69);
    CHECK(none.says("does it want a client certificate?"));
    options.client_certificate_file = client.path;
    options.client_key_file = client.key_path;
    CHECK(failure_to_connect(nothing, options, server.context).code == 0);
  }
  options.client_key_file = server.key_path;
  const Failure mixed = failure_to_connect(nothing, options, server.context);
  CHECK(mixed.code == 78);
  CHECK(mixed.says("does not belong to the certificate"));
  options.client_key_file = "/nowhere/key.pem";
  const Failure missing = failure_to_connect(nothing, options, server.context);
  CHECK(missing.code == 78);
  CHECK(missing.says("/nowhere/key.pem can't be read: No such file"));
  options.client_certificate_file = client.key_path;
  const Failure no_certificate = failure_to_connect(nothing, options, server.context);
  CHECK(no_certificate.code == 78);
  CHECK(no_certificate.says(client.key_path));
}
