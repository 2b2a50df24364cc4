#include "udp/control_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "udp/clocks.hpp"
#include "udp/control.hpp"
#include "udp/line_socket.hpp"

namespace udp {

namespace {

constexpr int kLookForStopMs = 100;
constexpr int64_t kProgressMs = 100;     // from one look for a whole second to the next
constexpr int64_t kAcceptAgainMs = 100;  // when no descriptor is left
constexpr int64_t kGoodbyeMs = 500;      // for the other side to read our last words and close
constexpr int64_t kReportMs = 5000;      // the same at a stop while a report is on its way
constexpr size_t kFirstLine = 4'096;
constexpr size_t kMostLine = 8'388'608;

struct Connection {
  explicit Connection(int fd) : socket(fd) {}

  LineSocket socket;
  int64_t opened_ms = base::monotonic_ms();
  std::optional<uint64_t> cookie;  // of its session
  bool is_ended = false;           // it got its report
  int64_t last_second = -1;        // that it was told
  int64_t next_progress_ms = opened_ms + kProgressMs;
  bool is_over = false;          // to be closed now
  int64_t close_ms = 0;          // saying goodbye until then; 0: not yet
  bool is_sending_over = false;  // in its goodbye: all was sent
};

size_t most_line(const Connection& connection) {
  return connection.cookie ? kMostLine : kFirstLine;
}

class Server {
 public:
  Server(const ControlServerOptions& options, Sessions& sessions)
      : options_(options), sessions_(sessions) {}

  void turn();
  void say_goodbyes();
  bool has_connections() const { return !connections_.empty(); }

 private:
  void wait();
  void accept_all();
  void take(int fd, const Address& peer);
  void serve(Connection& connection, bool is_readable);
  void read_lines(Connection& connection);
  // It calls on(), which the check does not see.
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static)
  void hear(Connection& connection, const std::string& line);
  void look_at_time(Connection& connection);
  void show_progress(Connection& connection);
  void close_finished();

  // What can be said to a server.
  void on(Connection& connection, const control::Hello& hello);
  void on(Connection& connection, const control::Resume& resume);
  void on(Connection& connection, const control::Ping& ping);
  void on(Connection& connection, const control::OffsetIs& is);
  void on(Connection& connection, const control::Begin& begin);
  void on(Connection& connection, const control::End& end);
  void on(Connection& connection, const control::About& about);
  [[noreturn]] static void on(Connection& connection, const auto& other);

  void say(Connection& connection, const control::Message& message) const;
  void refuse(Connection& connection, const base::Error& error) const;
  static void say_goodbye(Connection& connection, int64_t wait_ms);

  const ControlServerOptions& options_;
  Sessions& sessions_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<pollfd> polled_;  // the listener, then the connections in their order
  int64_t accept_ms_ = 0;       // not before
  bool is_stopping_ = false;
};

// --- Connections ---

void Server::turn() {
  wait();
  const bool is_asked = polled_[0].revents != 0;
  for (size_t i = 0; i < connections_.size(); ++i) {
    serve(*connections_[i], (polled_[i + 1].revents & ~POLLOUT) != 0);
    look_at_time(*connections_[i]);
  }
  close_finished();
  if (is_asked) accept_all();
}

void Server::wait() {
  polled_.clear();
  const bool may_accept = !is_stopping_ && base::monotonic_ms() >= accept_ms_;
  polled_.push_back({.fd = may_accept ? options_.listen_fd : -1, .events = POLLIN, .revents = 0});
  for (const auto& connection : connections_) {
    const bool has_more = connection->socket.waiting() > 0;
    const auto events = static_cast<short>(has_more ? POLLIN | POLLOUT : POLLIN);
    polled_.push_back({.fd = connection->socket.fd(), .events = events, .revents = 0});
  }
  if (::poll(polled_.data(), polled_.size(), kLookForStopMs) < 0) {
    for (pollfd& one : polled_) one.revents = 0;
  }
}

void Server::accept_all() {
  while (true) {
    Address peer;
    socklen_t size = sizeof peer.storage;
    const int fd = ::accept4(options_.listen_fd, peer.get(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      take(fd, peer);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      accept_ms_ = base::monotonic_ms() + kAcceptAgainMs;
      return;
    }
  }
}

void Server::take(int fd, const Address& peer) {
  auto connection = std::make_unique<Connection>(fd);
  if (!is_allowed(options_.allow, peer) || connections_.size() >= options_.connections) return;
  connections_.push_back(std::move(connection));
}

void Server::close_finished() {
  std::erase_if(connections_, [&](const std::unique_ptr<Connection>& one) {
    if (!one->is_over) return false;
    try {
      if (one->cookie) sessions_.set_connected(*one->cookie, false);
    } catch (const base::Error&) {
      return true;  // its session is forgotten already
    }
    return true;
  });
}

// Our last words are worth nothing when the connection is closed while the other side still talks:
// the kernel would throw them away.
void Server::say_goodbye(Connection& connection, int64_t wait_ms) {
  if (connection.close_ms == 0) connection.close_ms = base::monotonic_ms() + wait_ms;
}

void Server::say_goodbyes() {
  is_stopping_ = true;
  for (const auto& connection : connections_) {
    say_goodbye(*connection, connection->socket.waiting() > 0 ? kReportMs : kGoodbyeMs);
  }
}

void Server::look_at_time(Connection& connection) {
  const int64_t now_ms = base::monotonic_ms();
  if (connection.close_ms != 0) {
    if (now_ms >= connection.close_ms) connection.is_over = true;
    if (connection.socket.waiting() == 0 && !connection.is_sending_over) {
      connection.is_sending_over = true;
      connection.socket.end_sending();
    }
  } else if (!connection.cookie) {
    if (now_ms >= connection.opened_ms + options_.hello_ms) connection.is_over = true;
  } else if (now_ms >= connection.next_progress_ms && !connection.is_ended) {
    connection.next_progress_ms = now_ms + kProgressMs;
    show_progress(connection);
  }
}

void Server::show_progress(Connection& connection) {
  try {
    const Sessions::Progress progress = sessions_.progress(*connection.cookie);
    if (progress.second <= connection.last_second) return;
    connection.last_second = progress.second;
    say(connection, control::Second{progress});
  } catch (const base::Error& error) {
    refuse(connection, error);
  }
}

// --- Words ---

void Server::serve(Connection& connection, bool is_readable) {
  if (!connection.socket.flush()) connection.is_over = true;
  if (!is_readable || connection.is_over) return;
  if (!connection.socket.receive()) connection.is_over = true;
  try {
    read_lines(connection);
  } catch (const base::Error& error) {
    refuse(connection, error);
  }
}

void Server::read_lines(Connection& connection) {
  while (const std::optional<std::string> line = connection.socket.next_line()) {
    if (connection.close_ms != 0) continue;
    if (line->size() > most_line(connection)) connection.is_over = true;
    if (connection.is_over) return;
    hear(connection, *line);
  }
  if (connection.socket.unfinished() > most_line(connection)) connection.is_over = true;
}

void Server::hear(Connection& connection, const std::string& line) {
  const std::optional<control::Message> message = control::read(line);
  if (!message) return;
  const bool is_first = std::holds_alternative<control::Hello>(*message) ||
                        std::holds_alternative<control::Resume>(*message);
  const bool is_about = std::holds_alternative<control::About>(*message);
  if (!is_about && is_first == connection.cookie.has_value()) {
    throw base::Error(base::exit_malformed_reply,
                      is_first ? "a connection says hello once" : "a connection says hello first");
  }
  std::visit([&](const auto& words) { on(connection, words); }, *message);
}

void Server::say(Connection& connection, const control::Message& message) const {
  if (connection.socket.waiting() > options_.waiting)
    connection.is_over = true;  // it does not read
  if (connection.is_over) return;
  if (!connection.socket.send(control::write(message))) connection.is_over = true;
}

void Server::refuse(Connection& connection, const base::Error& error) const {
  if (connection.close_ms != 0) return;
  say(connection, control::Refusal{.text = error.what(), .code = error.code()});
  say_goodbye(connection, kGoodbyeMs);
}

void Server::on(Connection& connection, const control::Hello& hello) {
  SessionRequest request = hello.request;
  request.echo = request.echo || options_.answers_all;
  connection.cookie = sessions_.open(request);
  say(connection, control::Welcome{.cookie = *connection.cookie, .echo = request.echo});
}

void Server::on(Connection& connection, const control::Resume& resume) {
  sessions_.set_connected(resume.cookie, true);
  for (const auto& other : connections_) {
    if (other->cookie != resume.cookie) continue;
    other->cookie.reset();  // broken, though we were not told
    other->is_over = true;
  }
  connection.cookie = resume.cookie;
  bool is_echo = false;
  sessions_.locked([&](std::map<uint64_t, Session>& sessions, Tallies&) {
    const auto found = sessions.find(resume.cookie);
    is_echo = found != sessions.end() && found->second.request.echo;
  });
  say(connection, control::Welcome{.cookie = resume.cookie, .echo = is_echo});
}

void Server::on(Connection& connection, const control::Ping& ping) {
  say(connection,
      control::Pong{
          .t1_ns = ping.t1_ns, .t2_ns = connection.socket.received_ns(), .t3_ns = monotonic_ns()});
}

void Server::on(Connection& connection, const control::OffsetIs& is) {
  sessions_.set_offset(*connection.cookie, is.offset);
}

void Server::on(Connection& connection, const control::Begin& begin) {
  sessions_.begin(*connection.cookie, begin.begin_ns);
}

void Server::on(Connection& connection, const control::End& end) {
  const uint64_t cookie = *connection.cookie;
  control::FinalReport report{.received = sessions_.received(cookie),
                              .echoes = sessions_.echoes(cookie)};
  const size_t clients = report.echoes.size();
  if (end.sent.packets.size() != clients || end.sent.errors.size() != clients) {
    throw base::Error(base::exit_malformed_reply, "the end tells of another number of clients");
  }
  sessions_.end(cookie, end.sent);
  connection.is_ended = true;
  say(connection, report);
}

// Who only asks is no client and opens no session.
void Server::on(Connection& connection, const control::About& /*about*/) {
  say(connection, control::Abilities{.version = PRODUCT_VERSION, .room = sessions_.room()});
  if (!connection.cookie) say_goodbye(connection, kGoodbyeMs);
}

void Server::on(Connection& /*connection*/, const auto& /*other*/) {
  throw base::Error(base::exit_malformed_reply, "these are a server's words, not a client's");
}

}  // namespace

void serve_control(const ControlServerOptions& options, Sessions& sessions,
                   const std::atomic<bool>& stop) {
  Server server(options, sessions);
  while (!stop) server.turn();
  server.say_goodbyes();
  while (server.has_connections()) server.turn();
}

}  // namespace udp
