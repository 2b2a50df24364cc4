#include "net/server_loop.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "net/server_messages.hpp"

namespace net {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr TimePoint kNever = TimePoint::max();

// For libmicrohttpd: false closes the connection.
bool refuse(Connection& connection, int status) {
  send_refusal(connection.fd, status);
  connection.refused = true;
  return false;
}

}  // namespace

ServerLoop::ServerLoop(const ServerOptions& options, Handle handle)
    : options_(options),
      handle_(std::move(handle)),
      timeout_(options.request_timeout_ms),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  start_daemon();
  thread_ = std::thread([this] { run(); });
}

ServerLoop::~ServerLoop() {
  {
    const std::scoped_lock lock(mutex_);
    stop_asked_ = true;
  }
  wake();
  thread_.join();
}

void ServerLoop::wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.fd, &one, sizeof one);
}

bool ServerLoop::drain(int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  drain_asked_ = true;
  wake();
  return changed_.wait_for(lock, Milliseconds(wait_ms), [this] { return drained_; });
}

// --- The loop ---

void ServerLoop::run() {
  while (obey()) {
    wait();
    MHD_run(daemon_.get());
    sweep();
  }
  for (auto& [at, connection] : connections_) {
    if (connection.turn) connection.turn->exchange->close();
  }
  daemon_.reset();
}

// Does what other threads have asked for; false when that is to stop.
bool ServerLoop::obey() {
  const std::scoped_lock lock(mutex_);
  if (drain_asked_ && !draining_) {
    draining_ = true;
    ::close(MHD_quiesce_daemon(daemon_.get()));
  }
  if (draining_ && !drained_ && handed_ == 0) {
    drained_ = true;
    changed_.notify_all();
  }
  return !stop_asked_;
}

// Until something may be done.
void ServerLoop::wait() {
  std::vector<pollfd> polled = {{poll_fd_, POLLIN, 0}, {wake_.fd, POLLIN, 0}};
  for (const Lingering& client : lingering_) polled.push_back({client.socket.fd, POLLIN, 0});
  int timeout_ms = -1;
  unsigned long long pending_ms = 0;
  if (MHD_get_timeout(daemon_.get(), &pending_ms) == MHD_YES && pending_ms == 0) {
    timeout_ms = 0;
  } else if (!connections_.empty() || !lingering_.empty()) {
    const auto left = std::chrono::ceil<Milliseconds>(next_sweep_ - Clock::now()).count();
    timeout_ms = static_cast<int>(std::max<int64_t>(left, 0));
  }
  ::poll(polled.data(), polled.size(), timeout_ms);
  uint64_t times_woken = 0;
  if (polled[1].revents != 0) {
    [[maybe_unused]] const ssize_t got = ::read(wake_.fd, &times_woken, sizeof times_woken);
  }
  size_t at = 2;
  for (Lingering& client : lingering_) {
    if (polled[at++].revents != 0) client.over = !discard_input(client.socket.fd);
  }
  lingering_.remove_if([](const Lingering& client) { return client.over; });
}

// Cuts what is over its time. libmicrohttpd closes a connection that it finds shut down.
void ServerLoop::sweep() {
  const auto now = Clock::now();
  if (now < next_sweep_) return;
  next_sweep_ = now + std::clamp(timeout_ / 16, Milliseconds(5), Milliseconds(1'000));
  for (auto& [at, connection] : connections_) {
    if (connection.deadline > now) continue;
    ::shutdown(connection.fd, SHUT_RDWR);
    connection.deadline = kNever;
  }
  lingering_.remove_if([now](const Lingering& client) { return client.deadline <= now; });
}

// --- Connections ---

bool ServerLoop::may_connect() const {
  return connections_.size() + lingering_.size() < options_.most_connections;
}

void ServerLoop::connected(MHD_Connection* at) {
  const int fd = MHD_get_connection_info(at, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  connections_.insert_or_assign(at, Connection{.fd = fd, .deadline = deadline(), .turn = {}});
}

// libmicrohttpd closes the socket when this returns.
void ServerLoop::disconnected(MHD_Connection* at) {
  const auto found = connections_.find(at);
  if (found == connections_.end()) return;
  const int kept = found->second.refused ? ::fcntl(found->second.fd, F_DUPFD_CLOEXEC, 3) : -1;
  connections_.erase(found);
  if (kept >= 0) lingering_.emplace_back(kept, deadline());
}

// --- Requests ---

void ServerLoop::begin_request(MHD_Connection* at, std::string_view target) {
  Connection& connection = connections_.at(at);
  if (!connection.first) connection.deadline = deadline();
  Turn& turn = connection.turn.emplace();
  turn.exchange = std::make_shared<Exchange>(at, wake_.fd);
  const size_t mark = std::min(target.find('?'), target.size());
  turn.request.path = target.substr(0, mark);
  turn.request.query = target.substr(std::min(mark + 1, target.size()));
}

// Called for the headers, for each piece of the body, when all is there, and when an answer has
// woken the connection. False closes it.
bool ServerLoop::take(MHD_Connection* at, const char* method, std::string_view body) {
  Connection& connection = connections_.at(at);
  if (!connection.turn) return false;
  Turn& turn = *connection.turn;
  if (!turn.headers_read) return take_headers(at, connection, method);
  if (!body.empty()) {
    if (turn.request.body.size() + body.size() > options_.most_body_bytes)
      return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE);
    turn.request.body += body;
    return true;
  }
  if (!turn.handed) {
    if (drained_) return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE);
    hand_over(connection);
  }
  std::optional<ServerResponse> response = turn.exchange->take_or_sleep();
  return !response || send(at, connection, std::move(*response));
}

bool ServerLoop::take_headers(MHD_Connection* at, Connection& connection,
                              const char* method) const {
  Turn& turn = *connection.turn;
  turn.headers_read = true;
  turn.request.method = method;
  turn.request.headers = headers_of(at);
  const int status = refusal(turn.request.headers, options_.most_body_bytes);
  for (auto& [name, value] : turn.request.headers) value = base::trim(value);
  return status == 0 || refuse(connection, status);
}

void ServerLoop::hand_over(Connection& connection) {
  Turn& turn = *connection.turn;
  turn.handed = true;
  ++handed_;
  connection.deadline = kNever;
  try {
    handle_(std::move(turn.request), answer_to(turn.exchange));
  } catch (...) {  // of whatever kind: the other requests go on
    turn.exchange->answer({.status = MHD_HTTP_INTERNAL_SERVER_ERROR, .headers = {}, .body = {}});
  }
}

bool ServerLoop::send(MHD_Connection* at, Connection& connection, ServerResponse response) {
  ServerResponse& kept = connection.turn->response;
  kept = std::move(response);
  BuiltResponse built = build(kept);
  if (!built) {
    kept = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR, .headers = {}, .body = {}};
    built = build(kept);
  }
  if (!built) return false;  // out of memory
  if (draining_) MHD_add_response_header(built.get(), MHD_HTTP_HEADER_CONNECTION, "close");
  connection.deadline = deadline();
  return MHD_queue_response(at, static_cast<unsigned>(kept.status), built.get()) == MHD_YES;
}

void ServerLoop::end_request(MHD_Connection* at) {
  const auto found = connections_.find(at);
  if (found == connections_.end() || !found->second.turn) return;
  Connection& connection = found->second;
  connection.turn->exchange->close();
  if (connection.turn->handed) --handed_;
  connection.turn.reset();
  connection.first = false;
  connection.deadline = deadline();
}

}  // namespace net
