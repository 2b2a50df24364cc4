// The real client against servers of raw bytes on the loopback, each a thread that plays one
// connection.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/signals.hpp"
#include "certificate.hpp"
#include "net/websocket.hpp"
#include "net/websocket_upgrade.hpp"

namespace {

// One accepted connection, as the server's script sees it.
struct Peer {
  std::function<size_t(char* to, size_t most)> read;  // 0 at the end
  std::function<void(const char* from, size_t size)> write;

  std::string take(size_t size) const {
    std::string bytes(size, '\0');
    size_t at = 0;
    while (at < size) {
      const size_t got = read(bytes.data() + at, size - at);
      if (got == 0) break;
      at += got;
    }
    bytes.resize(at);
    return bytes;
  }

  std::string head() const {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const std::string byte = take(1);
      if (byte.empty()) break;
      head += byte;
    }
    return head;
  }

  void send(const std::string& bytes) const { write(bytes.data(), bytes.size()); }

  void send_slowly(const std::string& bytes) const {
    for (const char byte : bytes) {
      write(&byte, 1);
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  std::string accept() const {
    const std::string request = head();
    const std::string name = "Sec-WebSocket-Key: ";
    const size_t at = request.find(name);
    const std::string key = request.substr(at + name.size(), 24);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           net::websocket_accept(key) + "\r\n\r\n";
  }

  struct Frame {
    int first = -1;  // FIN, RSV and opcode; -1: the connection ended
    bool masked = false;
    std::string mask;
    std::string payload;
  };

  Frame take_frame() const {
    Frame frame;
    const std::string start = take(2);
    if (start.size() < 2) return frame;
    frame.first = static_cast<unsigned char>(start[0]);
    frame.masked = (start[1] & 0x80) != 0;
    size_t size = start[1] & 0x7F;
    const std::string more = take(size == 126 ? 2 : size == 127 ? 8 : 0);
    if (!more.empty()) size = 0;
    for (const char byte : more) size = size << 8U | static_cast<unsigned char>(byte);
    if (frame.masked) frame.mask = take(4);
    frame.payload = take(size);
    for (size_t i = 0; frame.masked && i < frame.payload.size(); ++i) {
      frame.payload[i] = static_cast<char>(frame.payload[i] ^ frame.mask[i % 4]);
    }
    return frame;
  }
};

using Script = std::function<void(const Peer&)>;

// A frame as a server sends it. `first`: 0x81 is a whole text.
std::string frame(int first, const std::string& payload) {
  std::string bytes(1, static_cast<char>(first));
  const size_t size = payload.size();
  const size_t more = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  bytes += static_cast<char>(more == 0 ? size : more == 2 ? 126 : 127);
  for (size_t i = more; i > 0; --i) bytes += static_cast<char>(size >> (8 * (i - 1)) & 0xFFU);
  return bytes + payload;
}

const std::string kStop = frame(0x88,
                                "\x03\xE8"
                                "bye");

struct Server {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port = 0;
  std::thread thread;

  explicit Server(const Script& script, SSL_CTX* tls = nullptr) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 5) == 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread = std::thread([this, script, tls] { serve(script, tls); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(listener, SHUT_RDWR);  // if nobody came
    thread.join();
    ::close(listener);
  }

  void serve(const Script& script, SSL_CTX* tls) const {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const timeval limit{10, 0};  // no script hangs for ever
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (tls == nullptr) {
      script({[fd](char* to, size_t most) {
                const ssize_t got = ::recv(fd, to, most, 0);
                return got > 0 ? static_cast<size_t>(got) : size_t{0};
              },
              [fd](const char* from, size_t bytes) { send_all(fd, from, bytes); }});
    } else {
      SSL* ssl = SSL_new(tls);
      SSL_set_fd(ssl, fd);
      if (SSL_accept(ssl) == 1) {
        script({[ssl](char* to, size_t most) {
                  const int got = SSL_read(ssl, to, static_cast<int>(most));
                  return got > 0 ? static_cast<size_t>(got) : size_t{0};
                },
                [ssl](const char* from, size_t bytes) {
                  SSL_write(ssl, from, static_cast<int>(bytes));
                }});
      }
      SSL_free(ssl);
    }
    ::close(fd);
  }

  static void send_all(int fd, const char* from, size_t size) {
    while (size > 0) {
      const ssize_t sent = ::send(fd, from, size, MSG_NOSIGNAL);
      if (sent <= 0) return;
      from += sent;
      size -= static_cast<size_t>(sent);
    }
  }

  std::string url() const {
    return "ws://127.0.0.1:" + std::to_string(port) + "/link/?ticket=secret";
  }
};

net::WebSocketOptions options() {
  net::WebSocketOptions options;
  options.curl.user_agent = "test/1";
  options.curl.env = [](const std::string&) { return ""; };
  options.open_timeout_ms = 5'000;
  return options;
}

net::WebSocket connect(const Server& server) {
  return net::connect_websocket(server.url(), options());
}

struct Failure {
  int code = 0;
  std::string text;
};

Failure failure_of(const std::function<void()>& action) {
  try {
    action();
    return {};
  } catch (const base::Error& error) {
    CHECK(std::string(error.what()).find("secret") == std::string::npos);
    return {error.code(), error.what()};
  }
}

// What a client gets from a server that sends these bytes behind the opening.
struct Outcome {
  std::vector<std::string> messages;
  Failure end;
};

Outcome outcome_of(const std::string& bytes, bool slowly = false) {
  const Server server([&](const Peer& peer) {
    peer.send(peer.accept());
    if (slowly) peer.send_slowly(bytes);
    if (!slowly) peer.send(bytes);
    while (peer.take_frame().first >= 0) {
    }
  });
  Outcome outcome;
  const net::WebSocket socket = connect(server);
  outcome.end = failure_of([&] {
    while (const auto message = socket.receive(3'000, {})) outcome.messages.push_back(*message);
  });
  socket.close();
  return outcome;
}

using Texts = std::vector<std::string>;

const std::string kMiddle(200, 'm');
const std::string kLong(70'000, 'l');

}  // namespace

TEST_CASE("messages of all header sizes, byte by byte and at once") {
  const std::string bytes = frame(0x81, "short \xC3\xBC") + frame(0x81, kMiddle) + frame(0x81, "");
  for (const bool slowly : {true, false}) {
    const Outcome outcome = outcome_of(bytes + frame(0x81, "last") + kStop, slowly);
    CHECK(outcome.messages == Texts{"short \xC3\xBC", kMiddle, "", "last"});
    CHECK(outcome.end.code == 75);
    CHECK(outcome.end.text.find("(code 1000: bye)") != std::string::npos);
  }
  CHECK(outcome_of(frame(0x81, kLong) + frame(0x81, "x") + kStop).messages == Texts{kLong, "x"});
}

TEST_CASE("the head byte by byte, and frames in one piece with it") {
  for (const bool slowly : {true, false}) {
    const Server server([&](const Peer& peer) {
      const std::string bytes = peer.accept() + frame(0x81, "early") + frame(0x81, "bird") + kStop;
      if (slowly) peer.send_slowly(bytes);
      if (!slowly) peer.send(bytes);
      peer.take_frame();
    });
    const net::WebSocket socket = connect(server);
    CHECK(socket.receive(3'000, {}) == "early");
    CHECK(socket.receive(3'000, {}) == "bird");
    CHECK(failure_of([&] { socket.receive(3'000, {}); }).code == 75);
  }
}

TEST_CASE("fragments are put together, with a ping between them answered") {
  std::vector<Peer::Frame> answers;
  {
    const Server server([&](const Peer& peer) {
      peer.send(peer.accept() + frame(0x01, "one \xC3") + frame(0x89, "are you there?") +
                frame(0x00, "") + frame(0x80, "\xBC two") + frame(0x8A, "unasked pong"));
      answers.push_back(peer.take_frame());
      peer.send(frame(0x82, "binary") + frame(0x81, "after") + kStop);
      answers.push_back(peer.take_frame());
    });
    const net::WebSocket socket = connect(server);
    CHECK(socket.receive(3'000, {}) == "one \xC3\xBC two");
    const int64_t bytes = socket.received_bytes();
    CHECK(socket.receive(3'000, {}) == "after");
    CHECK(socket.received_bytes() > bytes);
    CHECK(failure_of([&] { socket.receive(3'000, {}); }).code == 75);
  }
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].first == 0x8A);
  CHECK(answers[0].masked);
  CHECK(answers[0].payload == "are you there?");
  CHECK(answers[1].first == 0x88);
  CHECK(answers[1].payload ==
        "\x03\xE8"
        "bye");
}

TEST_CASE("what is sent is masked, each frame with another mask") {
  std::vector<Peer::Frame> frames;
  {
    const Server server([&](const Peer& peer) {
      peer.send(peer.accept());
      for (int i = 0; i < 5; ++i) frames.push_back(peer.take_frame());
      peer.send(frame(0x88, frames.back().payload));
    });
    const net::WebSocket socket = connect(server);
    socket.send_text("hello");
    socket.send_text(kMiddle);
    socket.send_text(kLong);
    socket.send_ping();
    socket.close();
    CHECK(failure_of([&] { socket.send_text("late"); }).code == 75);
  }
  std::set<std::string> masks;
  for (const Peer::Frame& one : frames) {
    CHECK(one.masked);
    masks.insert(one.mask);
  }
  CHECK(masks.size() == 5);
  CHECK(frames[0].first == 0x81);
  CHECK(frames[0].payload == "hello");
  CHECK(frames[1].payload == kMiddle);
  CHECK(frames[2].payload == kLong);
  CHECK(frames[3].first == 0x89);
  CHECK(frames[4].first == 0x88);
  CHECK(frames[4].payload == "\x03\xE8");
}

TEST_CASE("what breaks the protocol is refused, after the messages before it") {
  struct Row {
    std::string what;
    std::string bytes;
    int code;
    const char* words;
  };
  const std::string large(size_t{1} << 20U, 'x');
  const Row rows[] = {
      {"masked", std::string("\x81\x81\x01\x02\x03\x04x", 7), 76, "breaks the WebSocket protocol"},
      {"reserved bit", frame(0xC1, "x"), 76, "breaks the WebSocket protocol"},
      {"unknown opcode", frame(0x83, "x"), 76, "breaks the WebSocket protocol"},
      {"continuation of nothing", frame(0x80, "x"), 76, "breaks the WebSocket protocol"},
      {"text in a text", frame(0x01, "x") + frame(0x81, "y"), 76, "breaks the WebSocket protocol"},
      {"fragmented ping", frame(0x09, "x"), 76, "breaks the WebSocket protocol"},
      {"no UTF-8", frame(0x81, "\xFF\xFE"), 76, "not UTF-8"},
      {"cut UTF-8", frame(0x81, "\xC3"), 76, "not UTF-8"},
      {"too long", frame(0x81, large + "x"), 76, "longer than 1048576 bytes"},
      {"too long in parts", frame(0x01, large) + frame(0x80, "x"), 76, "longer than 1048576 bytes"},
      {"announced", std::string("\x81\x7F\x3F\xFF\xFF\xFF\xFF\xFF\xFF\xFFx", 11), 76,
       "longer than"},
      {"goodbye", kStop, 75, "closed the WebSocket (code 1000: bye)"},
      {"goodbye without words", frame(0x88, ""), 75, "closed the WebSocket"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Outcome outcome = outcome_of(frame(0x81, "before") + row.bytes);
    CHECK(outcome.messages == Texts{"before"});
    CHECK(outcome.end.code == row.code);
    CHECK(outcome.end.text.find(row.words) != std::string::npos);
  }
  CHECK(outcome_of(frame(0x81, large) + kStop).messages == Texts{large});
}

TEST_CASE("an end without a goodbye, within a frame too") {
  for (const std::string& bytes : {std::string(), frame(0x81, "cut").substr(0, 3)}) {
    const Server server([&](const Peer& peer) { peer.send(peer.accept() + bytes); });
    const net::WebSocket socket = connect(server);
    const Failure failure = failure_of([&] { socket.receive(3'000, {}); });
    CHECK(failure.code == 75);
    CHECK(failure.text.find("ended the connection") != std::string::npos);
  }
}

TEST_CASE("what does not open a WebSocket") {
  struct Row {
    std::string reply;
    int code;
  };
  const std::string good =
      "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  const Row rows[] = {
      {good + "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 76},
      {"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/?secret\r\n\r\n", 76},
      {"HTTP/1.1 401 Unauthorized\r\n\r\n", 77},
      {"HTTP/1.1 429 Too Many Requests\r\n\r\n", 75},
      {"HTTP/1.1 101 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 76},
      {"HTTP/1.1 101 OK\r\nX: " + std::string(20'000, 'x'), 76},
      {"garbage\r\n\r\n", 76},
      {"HTTP/1.1 101 OK\r\n", 75},
      {"", 75},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reply.substr(0, 40));
    const Server server([&](const Peer& peer) {
      peer.head();
      peer.send(row.reply);
    });
    const Failure failure = failure_of([&] { connect(server); });
    CHECK(failure.code == row.code);
    CHECK(failure.text.find("127.0.0.1") != std::string::npos);
  }
}

TEST_CASE("a server that is silent, nobody there, and addresses of another kind") {
  const Server server([](const Peer& peer) {
    while (!peer.take(1).empty()) {
    }
  });
  net::WebSocketOptions hasty = options();
  hasty.open_timeout_ms = 150;
  CHECK(failure_of([&] { net::connect_websocket(server.url(), hasty); }).code == 75);

  const Failure nobody =
      failure_of([] { net::connect_websocket("ws://127.0.0.1:1/?secret", options()); });
  CHECK(nobody.code == 69);
  CHECK(nobody.text.find("127.0.0.1:1") != std::string::npos);
  for (const char* url : {"http://127.0.0.1/", "wss://", "secret"}) {
    CHECK(failure_of([&] { net::connect_websocket(url, options()); }).code == 78);
  }
}

TEST_CASE("a server that reads nothing does not hold the sender for ever") {
  struct Pipe {
    int ends[2] = {-1, -1};
    ~Pipe() {  // when the server has ended
      ::close(ends[0]);
      ::close(ends[1]);
    }
  } pipe;
  REQUIRE(::pipe(pipe.ends) == 0);
  const Server server([&](const Peer& peer) {
    peer.send(peer.accept());
    char byte = 0;
    CHECK(::read(pipe.ends[0], &byte, 1) == 1);
  });
  net::WebSocketOptions hasty = options();
  hasty.send_timeout_ms = 150;
  const net::WebSocket socket = net::connect_websocket(server.url(), hasty);
  const std::string much(16'000'000, 'x');
  const Failure failure = failure_of([&] { socket.send_text(much); });
  CHECK(failure.code == 75);
  CHECK(failure.text.find("takes no more bytes") != std::string::npos);
  CHECK(::write(pipe.ends[1], "x", 1) == 1);
}

TEST_CASE("receive gives nothing when time is up, and wakes up for a descriptor") {
  const Server server([](const Peer& peer) {
    peer.send(peer.accept());
    peer.take_frame();
    peer.send(frame(0x81, "there"));
    peer.take_frame();
  });
  const net::WebSocket socket = connect(server);
  CHECK(socket.receive(0, {}) == std::nullopt);
  CHECK(socket.receive(20, {}) == std::nullopt);
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK(::write(pipe_ends[1], "x", 1) == 1);
  });
  const auto start = std::chrono::steady_clock::now();
  CHECK(socket.receive(-1, {pipe_ends[0]}) == std::nullopt);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  other.join();
  socket.send_text("go");
  // Messages come first, though the descriptor is still readable.
  std::optional<std::string> message;
  for (int i = 0; i < 500 && !message; ++i) {
    message = socket.receive(5'000, {pipe_ends[0]});
    if (!message) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(message == "there");
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

#ifndef __SANITIZE_THREAD__  // ThreadSanitizer knows no threads after a fork
TEST_CASE("a stop wakes receive up, and ends an opening") {
  const Server server([](const Peer& peer) {
    peer.send(peer.accept());
    while (peer.take_frame().first >= 0) {
    }
  });
  const Server silent([](const Peer& peer) {
    while (!peer.take(1).empty()) {
    }
  });
  const pid_t child = ::fork();  // a stop can't be taken back
  if (child == 0) {
    base::stop_on_signals();
    const net::WebSocket socket = connect(server);
    ::alarm(8);
    const pid_t self = ::getpid();
    std::thread other([self] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      ::kill(self, SIGTERM);
    });
    const bool woke = !socket.receive(-1, {});
    other.join();
    socket.close();
    try {
      connect(silent);
    } catch (const base::Error& error) {
      ::_exit(woke && error.code() == 130 ? 7 : 1);
    }
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}
#endif

TEST_CASE("through a proxy that is asked for a tunnel") {
  std::string asked;
  {
    const Server proxy([&](const Peer& peer) {
      asked = peer.head();
      peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
      peer.send(peer.accept() + frame(0x81, "through") + kStop);
      peer.take_frame();
    });
    net::WebSocketOptions proxied = options();
    proxied.curl.proxy = "http://user:secret@127.0.0.1:" + std::to_string(proxy.port);
    const net::WebSocket socket =
        net::connect_websocket("ws://wss.example/?ticket=secret", proxied);
    CHECK(socket.receive(3'000, {}) == "through");
  }
  CHECK(asked.starts_with("CONNECT wss.example:80 HTTP/1.1\r\n"));
  CHECK(asked.find("Proxy-Authorization: Basic ") != std::string::npos);
  CHECK(asked.find("ticket") == std::string::npos);
}

// --- TLS ---

namespace {

// A key and a certificate for 127.0.0.1 that signs itself, in a file too.
}  // namespace

TEST_CASE("over TLS: what one record holds is all given before anybody waits") {
  const Certificate certificate("IP:127.0.0.1");
  std::vector<std::string> got;
  const Server server(
      [&](const Peer& peer) {
        std::string many;
        for (int i = 0; i < 50; ++i) many += frame(0x81, std::to_string(i));
        peer.send(peer.accept() + frame(0x81, kLong) + many);
        got.push_back(peer.take_frame().payload);
        got.push_back(peer.take_frame().payload);
        peer.send(kStop);
        peer.take_frame();
      },
      certificate.context);
  net::WebSocketOptions trusting = options();
  trusting.curl.env = [&](const std::string& name) {
    return name == "SSL_CERT_FILE" ? std::string(certificate.path) : "";
  };
  const std::string url = "wss" + server.url().substr(2);
  const net::WebSocket socket = net::connect_websocket(url, trusting);
  CHECK(socket.receive(3'000, {}) == kLong);
  for (int i = 0; i < 50; ++i) CHECK(socket.receive(3'000, {}) == std::to_string(i));
  const std::string much(500'000, 'y');
  socket.send_text("hello");
  socket.send_text(much);
  CHECK(failure_of([&] { socket.receive(3'000, {}); }).code == 75);
  CHECK(got == Texts{"hello", much});
}

TEST_CASE("over TLS with a certificate that nobody trusts") {
  const Certificate certificate("IP:127.0.0.1");
  const Server server([](const Peer&) {}, certificate.context);
  net::WebSocketOptions wary = options();
  const std::string url = "wss" + server.url().substr(2);
  CHECK(failure_of([&] { net::connect_websocket(url, wary); }).code == 69);
}
