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

// The two sockets and the two threads of a server: one for packets, one for control connections.
class UdpServer {
 public:
  // Throws 69 when the port is taken.
  explicit UdpServer(const UdpServerSetup& setup);
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;

  udp::Sessions& sessions() { return sessions_; }
  uint16_t port() const { return port_; }
  const std::string& address() const { return address_; }
  uint64_t buffer_bytes() const { return buffer_bytes_; }

 private:
  void open(const UdpServerSetup& setup);

  udp::Sessions sessions_;
  std::string address_;
  uint16_t port_ = 0;
  uint64_t buffer_bytes_ = 0;
  int packets_fd_ = -1;
  int control_fd_ = -1;
  std::atomic<bool> stop_ = false;
  std::thread packets_;
  std::thread control_;
};

int run_udp_server(const Options& options);

}  // namespace commands
