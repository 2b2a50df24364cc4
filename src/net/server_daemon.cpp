#include <sys/socket.h>

#include <string_view>

#include "base/error.hpp"
#include "net/listen.hpp"
#include "net/server_loop.hpp"

namespace net {

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

}  // namespace

void ServerLoop::start_daemon() {
  const ListenSocket socket = listen_at(options_.address, options_.port);
  port_ = socket.port;
  daemon_.reset(MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, this, on_request, this,
      MHD_OPTION_LISTEN_SOCKET, socket.fd, MHD_OPTION_CONNECTION_LIMIT,
      options_.most_connections + 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, this,
      MHD_OPTION_NOTIFY_COMPLETED, on_request_end, this, MHD_OPTION_URI_LOG_CALLBACK,
      on_request_line, this, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END));
  const MHD_DaemonInfo* info =
      daemon_ ? MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD) : nullptr;
  if (info == nullptr || wake_.fd < 0) {  // it has closed the socket, or the process is at its end
    throw base::Error(base::exit_unavailable,
                      "can't start a server: memory or file descriptors are used up; raise the "
                      "limit (ulimit -n)");
  }
  poll_fd_ = info->epoll_fd;
}

}  // namespace net
