// The thread of an HTTP/2 connection: it moves the bytes between the socket and the session, looks
// whether the other side lives, and does what the calls ask for. Internal to src/net.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.hpp"
#include "net/http2.hpp"
#include "net/http2_session.hpp"
#include "net/http2_socket.hpp"

namespace net {

class Http2Link {
 public:
  // Connects; start() has to follow. Throws as Http2Socket does.
  Http2Link(const std::string& host, uint16_t port, const Http2Options& options);
  Http2Link(const Http2Link&) = delete;
  Http2Link& operator=(const Http2Link&) = delete;
  ~Http2Link() { stop(); }

  // Starts the thread and waits for the server's SETTINGS. Throws 69, 75, 76, 130.
  void start();
  // Ends the thread and all calls. Takes no time.
  void stop();

  // From any thread. open() throws 75 when the connection takes no new calls; wake() makes the
  // thread look at a call that wants something.
  void open(const std::shared_ptr<Http2Stream>& stream);
  void wake(const std::shared_ptr<Http2Stream>& stream);

  size_t window_bytes() const { return options_.window_bytes; }

 private:
  void run();
  void work();
  bool serve_calls();
  void send();
  void wait();
  void receive();
  bool keeps_alive() const;
  void keep_alive();
  void tell_state();
  void end(const base::Error& why);
  void ring() const;

  Http2Options options_;
  std::string place_;
  int64_t until_ms_;  // for connecting
  Http2Socket socket_;
  base::Descriptor bell_;  // an eventfd: wakes the thread
  std::thread thread_;

  std::mutex mutex_;  // for what follows
  std::condition_variable settled_;
  std::vector<std::shared_ptr<Http2Stream>> waiting_;  // calls that want something
  bool has_settings_ = false;
  bool is_stopping_ = false;
  bool is_over_ = false;
  std::optional<base::Error> no_new_calls_;  // and why

  // The thread's own.
  Http2Session session_;
  std::string unsent_;  // from unsent_at_ on
  size_t unsent_at_ = 0;
  std::string buffer_;       // for reading
  bool may_be_more_ = true;  // to read, whatever poll says: TLS has a buffer too
  int64_t heard_ms_ = 0;     // the last sign of life
  int64_t pinged_ms_ = -1;   // when a PING was sent that has no answer; -1: none
};

}  // namespace net
