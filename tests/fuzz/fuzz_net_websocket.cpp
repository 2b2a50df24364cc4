// A WebSocket's other side, over a real connection on loopback. Input that begins with "HTTP/" is
// all that comes, with ACCEPT in place of the key's answer; any other comes behind a good head, as
// frames. Holds: messages are UTF-8, keep the limit, and are no longer than what came.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "fuzz.hpp"
#include "net/listen.hpp"
#include "net/websocket.hpp"
#include "net/websocket_upgrade.hpp"

namespace {

constexpr size_t kMostMessage = 2'000;
constexpr const char* kHead =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: ACCEPT\r\n\r\n";

// Takes one connection after another, each of which gets the same words.
class OtherSide {
 public:
  OtherSide() : listener_(net::listen_at("127.0.0.1", 0)) {
    const int flags = 0;  // accept() waits
    ::fcntl(listener_.fd, F_SETFL, flags);
    std::thread([this] { serve(); }).detach();
  }
  std::string url() const { return "ws://127.0.0.1:" + std::to_string(listener_.port) + "/x"; }
  void say(const std::string& words) {
    const std::scoped_lock guard(mutex_);
    words_ = words;
  }

 private:
  void serve() {
    while (true) {
      const int fd = ::accept4(listener_.fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) answer(fd);
      if (fd >= 0) ::close(fd);
    }
  }

  void answer(int fd) {
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    std::string request;
    char bytes[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      request.append(bytes, static_cast<size_t>(got));
    }
    const size_t key = request.find(name) + name.size();
    const std::string accept =
        net::websocket_accept(request.substr(key, request.find('\r', key) - key));
    std::string words;
    {
      const std::scoped_lock guard(mutex_);
      words = base::replace_all(words_, "ACCEPT", accept);
    }
    ::send(fd, words.data(), words.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    while (::recv(fd, bytes, sizeof bytes, 0) > 0) {  // its goodbye
    }
  }

  net::ListenSocket listener_;
  std::mutex mutex_;
  std::string words_;
};

void check_upgrade(const std::string& text) {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  fuzz::takes([&] {
    net::check_upgrade_reply(base::replace_all(text, "ACCEPT", net::websocket_accept(key)), key,
                             "slack.example");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as main does
  static auto* const other_side = new OtherSide;     // its thread outlives the run
  const std::string text = fuzz::text_of(data, size);
  check_upgrade(text);
  other_side->say(text.starts_with("HTTP/") ? text : kHead + text);
  net::WebSocketOptions options;
  options.curl.env = [](const std::string&) { return ""; };
  options.open_timeout_ms = 5'000;
  options.most_message_bytes = kMostMessage;
  size_t bytes = 0;
  fuzz::takes([&] {
    const net::WebSocket socket = net::connect_websocket(other_side->url(), options);
    socket.send_ping();
    while (const auto message = socket.receive(5'000, {})) {
      fuzz::expect_utf8(*message);
      fuzz::expect(message->size() <= kMostMessage, "a message keeps the limit");
      bytes += message->size();
    }
  });
  const std::string said = base::replace_all(text, "ACCEPT", net::websocket_accept(""));
  fuzz::expect(bytes <= said.size(), "no more comes than was sent");
  return 0;
}
