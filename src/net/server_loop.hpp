// The thread of a server, with its connections and requests. Part of net/server.
#pragma once

#include <microhttpd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/descriptor.hpp"
#include "net/exchange.hpp"
#include "net/server.hpp"

namespace net {

using TimePoint = std::chrono::steady_clock::time_point;

// A request from its request line on, until its answer is sent.
struct Turn {
  std::shared_ptr<Exchange> exchange;
  ServerRequest request;
  ServerResponse response;  // here while libmicrohttpd sends it
  bool headers_read = false;
  bool handed = false;  // to the handler
};

struct Connection {
  int fd = -1;
  TimePoint deadline;
  bool first = true;  // no request is over yet
  std::optional<Turn> turn;
  bool refused = false;
};

// A refused client that may still be sending. To close its socket with bytes unread would reset
// the connection, and the reply could be lost.
struct Lingering {
  base::Descriptor socket;
  TimePoint deadline;
  bool over = false;
  Lingering(int fd, TimePoint until) : socket(fd), deadline(until) {}
};

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};

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
  void start_daemon();  // in server_daemon.cpp
  void run();
  void wait();
  bool obey();
  void sweep();
  void wake() const;
  TimePoint deadline() const { return std::chrono::steady_clock::now() + timeout_; }
  bool take_headers(MHD_Connection* at, Connection& connection, const char* method) const;
  void hand_over(Connection& connection);
  bool send(MHD_Connection* at, Connection& connection, ServerResponse response);

  const ServerOptions options_;
  const Handle handle_;
  const std::chrono::milliseconds timeout_;
  uint16_t port_ = 0;
  base::Descriptor wake_;

  // Of the loop's thread:
  std::unordered_map<MHD_Connection*, Connection> connections_;
  std::list<Lingering> lingering_;
  size_t handed_ = 0;  // requests given to the handler whose answer is not sent yet
  bool draining_ = false;
  TimePoint next_sweep_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_asked_ = false;
  bool drain_asked_ = false;
  bool drained_ = false;  // written by the loop's thread only

  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;
  int poll_fd_ = -1;  // the daemon's
  std::thread thread_;
};

}  // namespace net
