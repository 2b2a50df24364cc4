#include "net/server.hpp"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "net/exchange.hpp"
#include "net/listen.hpp"

namespace net {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr Clock::time_point kNever = Clock::time_point::max();

// A request from its request line on, until its answer is sent.
struct Turn {
  std::shared_ptr<Exchange> exchange;
  ServerRequest request;
  ServerResponse response;  // here while libmicrohttpd sends it
  bool headers_read = false;
  bool handed = false;  // to the handler
};

struct Connection {
  int fd;
  Clock::time_point deadline;
  bool first = true;  // no request is over yet
  std::optional<Turn> turn;
  bool refused = false;
};

// A refused client that may still be sending. To close its socket with bytes unread would reset
// the connection, and the reply could be lost.
struct Lingering {
  base::Descriptor socket;
  Clock::time_point deadline;
  bool over = false;
  Lingering(int fd, Clock::time_point until) : socket(fd), deadline(until) {}
};

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};

struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

using BuiltResponse = std::unique_ptr<MHD_Response, DestroyResponse>;

MHD_Result append_header(void* to, MHD_ValueKind /*kind*/, const char* name, size_t name_size,
                         const char* value, size_t value_size) {
  std::string text = value == nullptr ? "" : std::string(value, value_size);
  static_cast<Headers*>(to)->emplace_back(base::lower_ascii({name, name_size}), std::move(text));
  return MHD_YES;
}

// The status a request gets for what its headers say of its body; 0 when it may come.
int refusal(const Headers& headers, size_t most_body_bytes) {
  int statements = 0;
  bool too_long = false;
  bool unknown_coding = false;
  for (const auto& [name, value] : headers) {
    uint64_t bytes = 0;
    if (name == "content-length") {
      ++statements;
      too_long = base::read_number(value, bytes) && bytes > most_body_bytes;
    } else if (name == "transfer-encoding") {
      ++statements;
      unknown_coding = base::lower_ascii(value) != "chunked";
    }
  }
  if (statements > 1) return MHD_HTTP_BAD_REQUEST;
  if (unknown_coding) return MHD_HTTP_NOT_IMPLEMENTED;
  return too_long ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

// Nothing when HTTP has no such response. The body is not copied.
BuiltResponse build(ServerResponse& response) {
  if (response.status < 200 || response.status > 999) return nullptr;
  BuiltResponse built(MHD_create_response_from_buffer(response.body.size(), response.body.data(),
                                                      MHD_RESPMEM_PERSISTENT));
  for (const auto& [name, value] : response.headers) {
    const std::string lower = base::lower_ascii(name);
    if (lower == "content-length" || lower == "transfer-encoding") continue;
    if (!built || MHD_add_response_header(built.get(), name.c_str(), value.c_str()) != MHD_YES)
      return nullptr;
  }
  return built;
}

// Once libmicrohttpd reads a body it sends no reply before the body's end; so this goes past it.
void send_refusal(int fd, int status) {
  std::string reply = "HTTP/1.1 " + std::to_string(status) + " ";
  reply += MHD_get_reason_phrase_for(static_cast<unsigned>(status));
  reply += "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  // Fits into any empty buffer; with a full one the client reads nothing anyway.
  [[maybe_unused]] const ssize_t sent =
      ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// False when the client has closed its side.
bool discard_input(int fd) {
  std::array<char, 65'536> scrap;  // NOLINT(cppcoreguidelines-pro-type-member-init): never read
  const ssize_t got = ::recv(fd, scrap.data(), scrap.size(), MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

// libmicrohttpd is run by a thread of ours, not by its own: so connections are closed, cut and no
// longer accepted by one thread only, and no descriptor can change its owner in between. (Its
// MHD_quiesce_daemon() from another thread can end the process when it meets its polling.)
class ServerLoop {
 public:
  ServerLoop(const ServerOptions& options, Handle handle);
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;
  ~ServerLoop();

  uint16_t port() const { return port_; }
  bool drain(int64_t wait_ms);

  // --- libmicrohttpd's callbacks, on the loop's thread ---
  bool may_connect() const;
  void connected(MHD_Connection* at);
  void disconnected(MHD_Connection* at);
  void begin_request(MHD_Connection* at, std::string_view target);
  bool take(MHD_Connection* at, const char* method, std::string_view body);
  void end_request(MHD_Connection* at);

 private:
  void start_daemon();
  void run();
  void wait();
  bool obey();
  void sweep();
  void wake() const;
  Clock::time_point deadline() const { return Clock::now() + timeout_; }
  bool take_headers(MHD_Connection* at, Connection& connection, const char* method);
  bool refuse(Connection& connection, int status);
  void hand_over(Connection& connection);
  bool send(MHD_Connection* at, Connection& connection, ServerResponse response);

  const ServerOptions options_;
  const Handle handle_;
  const Milliseconds timeout_;
  uint16_t port_ = 0;
  base::Descriptor wake_;

  // Of the loop's thread:
  std::unordered_map<MHD_Connection*, Connection> connections_;
  std::list<Lingering> lingering_;
  size_t handed_ = 0;  // requests given to the handler whose answer is not sent yet
  bool draining_ = false;
  Clock::time_point next_sweep_ = Clock::now();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_asked_ = false;
  bool drain_asked_ = false;
  bool drained_ = false;  // written by the loop's thread only

  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;
  int poll_fd_ = -1;  // the daemon's
  std::thread thread_;
};

namespace {

ServerLoop& loop(void* cls) {
  return *static_cast<ServerLoop*>(cls);
}

MHD_Result on_accept(void* cls, const sockaddr* /*from*/, socklen_t /*size*/) {
  return loop(cls).may_connect() ? MHD_YES : MHD_NO;
}

void on_connection(void* cls, MHD_Connection* at, void** /*context*/,
                   MHD_ConnectionNotificationCode what) {
  try {
    what == MHD_CONNECTION_NOTIFY_STARTED ? loop(cls).connected(at) : loop(cls).disconnected(at);
  } catch (...) {  // out of memory; must not cross C code. take() refuses what is not known
  }
}

void* on_request_line(void* cls, const char* target, MHD_Connection* at) {
  try {
    loop(cls).begin_request(at, target == nullptr ? "" : target);
  } catch (...) {  // as above
  }
  return nullptr;
}

MHD_Result on_request(void* cls, MHD_Connection* at, const char* /*url*/, const char* method,
                      const char* /*version*/, const char* data, size_t* size, void** /*context*/) {
  try {
    const std::string_view body(data, *size);
    *size = 0;
    return loop(cls).take(at, method, body) ? MHD_YES : MHD_NO;
  } catch (...) {  // as above; the connection is closed
    return MHD_NO;
  }
}

void on_request_end(void* cls, MHD_Connection* at, void** /*context*/,
                    MHD_RequestTerminationCode /*why*/) {
  loop(cls).end_request(at);
}

// The path stays as it was sent.
size_t leave_escaped(void* /*cls*/, MHD_Connection* /*at*/, char* text) {
  return std::string_view(text).size();
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

void ServerLoop::start_daemon() {
  const ListenSocket socket = listen_at(options_.address, options_.port);
  port_ = socket.port;
  daemon_.reset(MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, this, on_request, this,
      MHD_OPTION_LISTEN_SOCKET, socket.fd, MHD_OPTION_CONNECTION_LIMIT,
      options_.most_connections + 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, this,
      MHD_OPTION_NOTIFY_COMPLETED, on_request_end, this, MHD_OPTION_URI_LOG_CALLBACK,
      on_request_line, this, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, nullptr,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END));
  const MHD_DaemonInfo* info =
      daemon_ ? MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD) : nullptr;
  if (info == nullptr || wake_.fd < 0) {  // it has closed the socket, or the process is at its end
    throw base::Error(base::exit_unavailable,
                      "can't start a server: memory or file descriptors are used up; raise the "
                      "limit (ulimit -n)");
  }
  poll_fd_ = info->epoll_fd;
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
  unsigned long long pending_ms = 0;  // NOLINT(google-runtime-int): libmicrohttpd's type
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

bool ServerLoop::take_headers(MHD_Connection* at, Connection& connection, const char* method) {
  Turn& turn = *connection.turn;
  turn.headers_read = true;
  turn.request.method = method;
  MHD_get_connection_values_n(at, MHD_HEADER_KIND, append_header, &turn.request.headers);
  const int status = refusal(turn.request.headers, options_.most_body_bytes);
  for (auto& [name, value] : turn.request.headers) value = base::trim(value);
  return status == 0 || refuse(connection, status);
}

bool ServerLoop::refuse(Connection& connection, int status) {
  send_refusal(connection.fd, status);
  connection.refused = true;
  return false;
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

// --- The interface ---

std::string header(const ServerRequest& request, const std::string& name) {
  for (const auto& [header_name, value] : request.headers) {
    if (header_name == name) return value;
  }
  return "";
}

Server::Server(const ServerOptions& options, Handle handle)
    : loop_(std::make_unique<ServerLoop>(options, std::move(handle))) {}

Server::~Server() = default;

uint16_t Server::port() const {
  return loop_->port();
}

bool Server::drain(int64_t wait_ms) {
  return loop_->drain(wait_ms);
}

std::string microhttpd_version() {
  return MHD_get_version();
}

}  // namespace net
