#include "commands/udp_server.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"
#include "commands/report.hpp"
#include "commands/udp_options.hpp"
#include "commands/udp_output.hpp"
#include "net/listen.hpp"
#include "udp/control_server.hpp"
#include "udp/serving.hpp"

namespace commands {

namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr uint64_t kWideBufferBytes = uint64_t{8} << 20U;  // holds some ten thousand packets
constexpr int64_t kWideNapNs = 4'000'000;
constexpr int64_t kNapNs = 1'000'000;
constexpr int kMostPortTries = 20;
constexpr int64_t kMostBufferBytes = int64_t{1} << 30U;

net::ListenSocket listen_anywhere(const std::string& bind, uint16_t port, std::string& address) {
  address = bind.empty() ? "::" : bind;
  if (!bind.empty()) return net::listen_at(address, port);
  try {
    return net::listen_at(address, port);
  } catch (const base::Error&) {  // a machine without IPv6, or the port is taken
    address = "0.0.0.0";
    return net::listen_at(address, port);
  }
}

// What a person is told while the server waits.
class Reporter {
 public:
  Reporter(const Options& options, UdpServer& server) : options_(options), server_(server) {}

  void look(bool all) {
    for (const udp::Sessions::Ended& ended :
         server_.sessions().take_ended(udp::monotonic_ns(), all)) {
      udp::Report report = udp::session_report(ended);
      udp::judge(report, udp::Limits{}, &ended.received, nullptr);
      show_udp_report(options_, report);
      ++reported_;
      ::malloc_trim(0);  // what a report of many callers needed, and nothing will again for long
    }
  }

  uint64_t reported() const { return reported_; }

 private:
  const Options& options_;
  UdpServer& server_;
  uint64_t reported_ = 0;
};

}  // namespace

UdpServerSetup read_udp_server(const Options& options) {
  UdpServerSetup setup;
  setup.bind = options.text("bind");
  setup.port = static_cast<uint16_t>(options.number("port", 0, 65'535));
  for (const std::string& cidr : options.list("allow")) {
    setup.allow.push_back(udp::read_cidr(cidr, options.origin("allow")));
  }
  setup.answers_all = options.toggle("server-respond");
  setup.limits.sessions = static_cast<size_t>(options.number("max-sessions", 1, 1'000));
  setup.limits.clients = static_cast<uint32_t>(options.number("max-callers", 1, 1'000'000));
  setup.receive_buffer_bytes =
      static_cast<uint64_t>(options.number("receive-buffer", 4'096, kMostBufferBytes));
  return setup;
}

UdpServerSetup demo_server() {
  return {.bind = "127.0.0.1",
          .port = 0,
          .allow = {},
          .answers_all = false,
          .limits = {},
          .receive_buffer_bytes = uint64_t{32} << 20U};
}

std::string queue_problem(uint64_t given_bytes, uint64_t wanted_bytes) {
  if (given_bytes >= wanted_bytes) return "";
  return fmt::format(
      "the kernel gives a receive queue of {} bytes, not {}: run as root, or "
      "sysctl -w net.core.rmem_max={}",
      given_bytes, wanted_bytes, wanted_bytes);
}

UdpSockets open_udp_sockets(const UdpServerSetup& setup) {
  UdpSockets sockets;
  const net::ListenSocket control = listen_anywhere(setup.bind, setup.port, sockets.address);
  sockets.control_fd = control.fd;
  sockets.port = control.port;
  udp::Address at = udp::read_address(sockets.address).value();
  at.set_port(sockets.port);
  try {
    const udp::ServerSocket packets = udp::open_server(at, setup.receive_buffer_bytes);
    sockets.packets_fd = packets.fd;
    sockets.buffer_bytes = packets.buffer_bytes;
  } catch (const base::Error&) {
    ::close(sockets.control_fd);
    throw;
  }
  return sockets;
}

UdpServer::UdpServer(const UdpServerSetup& setup) : sessions_(setup.limits) {
  // A port that is free for TCP may be taken for UDP: any other one does as well.
  int tries_left = setup.port == 0 ? kMostPortTries : 1;
  while (sockets_.packets_fd < 0) {
    try {
      sockets_ = open_udp_sockets(setup);
    } catch (const base::Error&) {
      if (--tries_left == 0) throw;
    }
  }
  packets_ = std::thread([this, allow = setup.allow] {
    const bool is_wide = sockets_.buffer_bytes >= kWideBufferBytes;
    udp::serve_packets(
        {.fd = sockets_.packets_fd, .allow = allow, .nap_ns = is_wide ? kWideNapNs : kNapNs},
        sessions_, stop_);
  });
  control_ = std::thread([this, setup] {
    udp::serve_control(
        {.listen_fd = sockets_.control_fd, .allow = setup.allow, .answers_all = setup.answers_all},
        sessions_, stop_);
  });
}

UdpServer::~UdpServer() {
  stop_ = true;
  packets_.join();
  control_.join();
  ::close(sockets_.packets_fd);
  ::close(sockets_.control_fd);
}

int run_udp_server(const Options& options) {
  const UdpServerSetup setup = read_udp_server(options);
  is_udp_json(options);
  const bool is_quiet = options.toggle("quiet");
  base::stop_on_signals();
  UdpServer server(setup);
  if (!is_quiet) {
    report_progress(kUdpLoad, fmt::format("waiting for tests at {} port {} (UDP and TCP)",
                                          server.address(), server.port()));
  }
  const std::string problem = queue_problem(server.buffer_bytes(), setup.receive_buffer_bytes);
  if (!problem.empty() && !is_quiet) report_notice(options.env(), kUdpLoad, problem);
  Reporter reporter(options, server);
  const base::Clock clock = base::real_clock();
  const bool is_once = options.toggle("once");
  while (!base::stop_asked() && !(is_once && reporter.reported() > 0)) {
    clock.sleep_ms(kLookEveryMs);
    reporter.look(false);
  }
  reporter.look(true);
  return base::exit_ok;
}

}  // namespace commands
