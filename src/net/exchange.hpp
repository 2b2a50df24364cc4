// One request on its way between the server's thread and whoever answers it. Part of net/server.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "net/server.hpp"

struct MHD_Connection;

namespace net {

class Exchange {
 public:
  // The server's thread polls wake_fd, an eventfd that outlives the connection.
  Exchange(MHD_Connection* connection, int wake_fd) : connection_(connection), wake_fd_(wake_fd) {}

  // From any thread. The first answer counts; after close() none does.
  void answer(ServerResponse response);

  // On the server's thread: the answer, or nothing; then the connection sleeps until there is one.
  std::optional<ServerResponse> take_or_sleep();

  // On the server's thread, before the connection goes; wakes it, as libmicrohttpd wants.
  void close();

 private:
  void wake();

  std::mutex mutex_;
  MHD_Connection* connection_;
  int wake_fd_;
  bool asleep_ = false;
  bool over_ = false;  // answered or closed
  std::optional<ServerResponse> response_;
};

// What `handle` gets: the last copy answers 500 when none was called.
Answer answer_to(std::shared_ptr<Exchange> exchange);

}  // namespace net
