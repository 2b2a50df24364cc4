// udp-load server: waits for tests and reports each.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.hpp"
#include "commands/options.hpp"
#include "udp/session.hpp"

namespace commands {

struct UdpServerSetup {
  std::string bind;  // "" for all addresses
  uint16_t port = 0;
  std::vector<udp::Cidr> allow;
  bool answers_all = false;
  udp::SessionLimits limits;
  uint64_t receive_buffer_bytes = 0;
};

// Both sockets at one port. Throws 69.
struct UdpSockets {
  std::string address;
  uint16_t port = 0;
  int control_fd = -1;
  int packets_fd = -1;
  uint64_t buffer_bytes = 0;  // of the queue for packets
};
UdpSockets open_udp_sockets(const UdpServerSetup& setup);

// The two sockets and the two threads of a server: one for packets, one for control connections.
class UdpServer {
 public:
  // Throws 69 when the port is taken.
  explicit UdpServer(const UdpServerSetup& setup);
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;

  udp::Sessions& sessions() { return sessions_; }
  uint16_t port() const { return sockets_.port; }
  const std::string& address() const { return sockets_.address; }
  uint64_t buffer_bytes() const { return sockets_.buffer_bytes; }

 private:
  udp::Sessions sessions_;
  UdpSockets sockets_;
  std::atomic<bool> stop_ = false;
  std::thread packets_;
  std::thread control_;
};

UdpServerSetup read_udp_server(const Options& options);  // throws 64
UdpServerSetup demo_server();

// What to do about a queue that is smaller than wanted; "" when it is not.
std::string queue_problem(uint64_t given_bytes, uint64_t wanted_bytes);

int run_udp_server(const Options& options);

}  // namespace commands
