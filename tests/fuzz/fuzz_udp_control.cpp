// The control channel of udp-load: messages, the lines they stand in, a server that hears them from
// anybody, and a client that hears them from a server. Holds: messages read as they were written,
// lines are what was sent, all the server says is a message.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "base/descriptor.hpp"
#include "fuzz.hpp"
#include "net/listen.hpp"
#include "udp/control.hpp"
#include "udp/control_client.hpp"
#include "udp/control_server.hpp"
#include "udp/line_socket.hpp"

namespace {

using Pair = std::array<int, 2>;

Pair pair_of_sockets() {
  Pair pair{};
  fuzz::expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0, "sockets");
  return pair;
}

// All of it, and that no more will come.
void say_all(int fd, std::string_view words) {
  while (!words.empty()) {
    const ssize_t sent = ::send(fd, words.data(), words.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    words.remove_prefix(static_cast<size_t>(sent));
  }
  ::shutdown(fd, SHUT_WR);
}

void check_message(const std::string& line) {
  fuzz::takes([&] {
    const auto message = udp::control::read(line);
    if (!message) return;
    const std::string written = udp::control::write(*message);
    fuzz::expect(written.find('\n') == written.size() - 1, "a message is a line", written);
    const auto again = udp::control::read(written);
    fuzz::expect(again && udp::control::write(*again) == written, "it reads as it was", written);
  });
}

void check_lines(const std::string& bytes) {
  const Pair pair = pair_of_sockets();
  const base::Descriptor other{pair[0]};
  udp::LineSocket lines(pair[1]);
  say_all(other.fd, bytes);
  std::string together;
  while (lines.receive()) {
    while (const auto line = lines.next_line()) {
      check_message(*line);
      together += *line + "\n";
    }
  }
  fuzz::expect(together.size() + lines.unfinished() == bytes.size() && bytes.starts_with(together),
               "lines are what was sent", together);
}

int connect_to(uint16_t port) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fuzz::expect(::connect(connection, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0,
               "a way");
  return connection;
}

void check_server(const std::string& bytes) {
  const net::ListenSocket listener = net::listen_at("127.0.0.1", 0);
  const base::Descriptor owner{listener.fd};
  udp::Sessions sessions({.sessions = 2, .clients = 50, .seconds = 60});
  const udp::ControlServerOptions options{.listen_fd = listener.fd, .hello_ms = 500};
  std::atomic<bool> stop = false;
  std::thread server([&] { udp::serve_control(options, sessions, stop); });
  {
    const base::Descriptor connection{connect_to(listener.port)};
    say_all(connection.fd, bytes);
    std::string said;
    char part[4096];
    for (ssize_t got = 1; got > 0;) {
      got = ::recv(connection.fd, part, sizeof part, 0);
      if (got > 0) said.append(part, static_cast<size_t>(got));
    }
    std::string_view left = said;
    while (left.find('\n') != std::string_view::npos) {
      const std::string line = fuzz::take_line(left);
      const bool is_message = fuzz::takes([&] { udp::control::read(line); });
      fuzz::expect(is_message, "a server says messages", line);
    }
  }
  stop = true;
  const base::Descriptor wakes{connect_to(listener.port)};
  ::shutdown(wakes.fd, SHUT_RDWR);
  server.join();
  for (const auto& ended : sessions.take_ended(INT64_MAX / 2, true)) udp::session_report(ended);
}

void check_client(const std::string& bytes) {
  const Pair pair = pair_of_sockets();
  const base::Descriptor other{pair[0]};
  say_all(other.fd, bytes);
  bool is_first = true;
  const auto connect = [&] {
    if (!is_first) throw base::Error(base::exit_unavailable, "nobody is there");
    is_first = false;
    return pair[1];
  };
  udp::SessionRequest request;
  request.codec = udp::codec_named("g711");
  const udp::ControlWaits waits{.answer_ms = 1'000, .ping_ms = 1, .again_ms = 1};
  fuzz::takes([&] {
    udp::ControlClient client(connect, request, waits);
    client.start(1'000, [](const udp::Sessions::Progress&) {});
    udp::Sent sent;
    sent.packets = sent.errors = {1};
    client.finish(sent, 5);
    client.why();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as main does
  const std::string bytes = fuzz::text_of(data, size);
  check_lines(bytes);
  check_server(bytes);
  check_client(bytes);
  return 0;
}
