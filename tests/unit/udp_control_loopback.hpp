// A control server on loopback, and a plain connection to one, for tests.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>

#include "base/descriptor.hpp"
#include "net/listen.hpp"
#include "udp/control_server.hpp"

namespace udp_control_loopback {

// window: how much the kernel takes that was not read; 0: as it likes.
inline int connect_to(uint16_t port, int window = 0) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (window > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  return fd;
}

struct RunningServer {
  explicit RunningServer(udp::ControlServerOptions wanted = {}, udp::SessionLimits limits = {})
      : listener(net::listen_at("127.0.0.1", 0)), sessions(limits), options(std::move(wanted)) {
    options.listen_fd = listener.fd;
    thread = std::thread([this] { udp::serve_control(options, sessions, stop); });
  }
  ~RunningServer() {
    stop = true;
    ::close(connect_to(listener.port));  // it need not wait for its next look at `stop`
    thread.join();
    ::close(listener.fd);
  }

  net::ListenSocket listener;
  udp::Sessions sessions;
  udp::ControlServerOptions options;
  std::atomic<bool> stop = false;
  std::thread thread;
};

// One side of a connection; every read has a time-out of 2 s.
struct Peer {
  explicit Peer(int descriptor) : connection(descriptor) {}
  explicit Peer(const RunningServer& server) : Peer(connect_to(server.listener.port)) {}

  // Nothing is said about what can't be sent: the other side may have closed.
  void say(const std::string& text) const {
    size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t now =
          ::send(connection.fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) return;
      sent += static_cast<size_t>(now);
    }
  }

  // "" at the end of what the other side said; "(silence)" when nothing came.
  std::string line() {
    while (true) {
      const size_t end = received.find('\n');
      if (end != std::string::npos) {
        const std::string line = received.substr(0, end);
        received.erase(0, end + 1);
        return line;
      }
      pollfd one{.fd = connection.fd, .events = POLLIN, .revents = 0};
      if (::poll(&one, 1, 2000) <= 0) return "(silence)";
      char bytes[65536];
      const ssize_t got = ::recv(connection.fd, bytes, sizeof bytes, 0);
      if (got <= 0) return "";
      received.append(bytes, static_cast<size_t>(got));
    }
  }

  base::Descriptor connection;
  std::string received;
};

}  // namespace udp_control_loopback
