#include "commands/udp_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/look.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/findings.hpp"
#include "commands/udp_client.hpp"
#include "commands/udp_ends.hpp"
#include "commands/udp_output.hpp"
#include "commands/udp_server.hpp"
#include "udp/control_opening.hpp"
#include "udp/control_server.hpp"
#include "udp/figures.hpp"
#include "udp/sender.hpp"

namespace commands {

namespace {

constexpr int64_t kAnswerMs = 5'000;
constexpr uint64_t kDescriptorsElse = 64;
constexpr size_t kMostNameBytes = 1'000;
constexpr const char* kClockSource =
    "/sys/devices/system/clocksource/clocksource0/current_clocksource";
// Each look at these takes a microsecond and more, and every packet is stamped.
constexpr const char* kSlowClocks[] = {"acpi_pm", "hpet", "jiffies", "refined-jiffies", "pit"};

void check_files(Findings& findings, const Options& options) {
  for (const char* name : {"output-file", "csv", "report"}) {
    const std::string path = options.text(name);
    if (path.empty()) continue;
    findings.look(name, [&] {
      base::look_writable(path);
      return path + " can be written to";
    });
  }
}

void check_clock(Findings& findings) {
  std::string source;
  try {
    source = base::trim(base::read_file(kClockSource, kMostNameBytes, "the clock source"));
  } catch (const base::Error&) {
    findings.not_checked("clock source", "this machine does not tell which one it has");
    return;
  }
  const bool is_slow =
      std::find(std::begin(kSlowClocks), std::end(kSlowClocks), source) != std::end(kSlowClocks);
  if (is_slow) {
    findings.warn("clock source", source +
                                      " is slow, so that sending costs more than it must; tsc "
                                      "or the virtual machine's own is better");
  } else {
    findings.ok("clock source", base::one_line(source));
  }
}

void check_queue(Findings& findings, uint64_t given_bytes, uint64_t wanted_bytes) {
  const std::string problem = queue_problem(given_bytes, wanted_bytes);
  if (problem.empty()) {
    findings.ok("receive queue", fmt::format("{} bytes", given_bytes));
  } else {
    findings.warn("receive queue", problem);
  }
}

// --- The server ---

void check_server(Findings& findings, const UdpServerSetup& setup) {
  UdpSockets sockets;
  const bool is_free = findings.look("port", [&] {
    sockets = open_udp_sockets(setup);
    ::close(sockets.control_fd);
    ::close(sockets.packets_fd);
    return setup.port == 0
               ? fmt::format("any free one at {}", sockets.address)
               : fmt::format("{} at {} is free for UDP and TCP", setup.port, sockets.address);
  });
  if (is_free) check_queue(findings, sockets.buffer_bytes, setup.receive_buffer_bytes);
  const uint64_t limit = base::descriptor_limit();
  const uint64_t needed = udp::ControlServerOptions{}.connections + kDescriptorsElse;
  if (limit >= needed) {
    findings.ok("descriptors", fmt::format("{} may be open; callers need none", limit));
  } else {
    findings.warn("descriptors",
                  fmt::format("{} may be open, and {} can be needed; raise the limit "
                              "(ulimit -n)",
                              limit, needed));
  }
}

// --- The client ---

std::string shown_room(const udp::control::Abilities& server) {
  return fmt::format("version {}, {} of {} sessions and {} of {} callers taken", server.version,
                     server.room.sessions, server.room.most_sessions, server.room.callers,
                     server.room.most_callers);
}

std::string look_at_server(Findings& findings, const UdpTest& test, const UdpEnds& ends) {
  udp::LineSocket socket(connect_udp_control(ends.place, ends.way));
  const auto server = udp::ask_abilities(socket, kAnswerMs);
  if (!server) {
    findings.warn("server", ends.place +
                                " is an older one, which does not tell its limits; use the "
                                "same version on both sides");
    return "";
  }
  const udp::Sessions::Room& room = server->room;
  const bool is_full =
      room.sessions >= room.most_sessions || room.callers + test.load.clients > room.most_callers;
  if (!is_full) return fmt::format("{}: {}", ends.place, shown_room(*server));
  throw base::Error(
      base::exit_unavailable,
      fmt::format("{} has no room for {}: {}; wait, or raise --max-sessions or "
                  "--max-callers there",
                  ends.place, udp::counted(test.load.clients, "caller"), shown_room(*server)));
}

std::string addresses(size_t count) {
  return count == 1 ? "an address" : fmt::format("{} addresses", count);
}

// Opens what the callers send from, as the test would, and sends nothing.
std::string look_at_sockets(Findings& findings, const UdpTest& test, const UdpEnds& ends) {
  const udp::Sender sender({.load = test.load,
                            .callers = ends.callers,
                            .server = ends.server,
                            .sockets = test.sockets,
                            .echo = test.echo,
                            .offset = {},
                            .stop = {}});
  if (sender.sockets() >= test.load.clients) {
    return fmt::format("{} can be open, and packets of {} bytes fit the MTU",
                       udp::counted(sender.sockets(), "socket"), test.load.packet_size);
  }
  findings.warn("sockets",
                fmt::format("{} callers would share {} sockets, as no more may be open; raise the "
                            "limit (ulimit -n)",
                            test.load.clients, sender.sockets()));
  return "";
}

void check_client(Findings& findings, const UdpTest& test, bool asks_server) {
  UdpEnds ends;
  const bool has_address = findings.look("server's address", [&] {
    find_udp_server(test, ends);
    return ends.server.with_port();
  });
  if (!has_address) return;  // which callers go with it is not known either
  const bool has_callers = findings.look("callers", [&] {
    find_udp_callers(test, ends);
    if (ends.callers.empty()) return std::string("from whatever address the route says");
    return fmt::format("{} can send from {} of this machine",
                       udp::counted(test.load.clients, "caller"), addresses(ends.callers.size()));
  });
  if (has_callers) {
    findings.look("sockets", [&] { return look_at_sockets(findings, test, ends); });
  }
  if (!asks_server) return;
  findings.look("server", [&] { return look_at_server(findings, test, ends); });
}

}  // namespace

int check_udp_load(const Options& options, UdpJob job) {
  Findings findings(options.env(),
                    is_udp_json(options) ? Findings::Form::array : Findings::Form::text);
  if (job == UdpJob::server) {
    check_server(findings, read_udp_server(options));
  } else {
    UdpTest test = job == UdpJob::demo ? read_udp_demo(options) : read_udp_test(options);
    read_udp_limits(options);
    if (job == UdpJob::demo) {
      const UdpServerSetup setup = demo_server();
      check_server(findings, setup);
      test.host = {.host = setup.bind, .port = 1};  // nobody is asked there
    }
    check_client(findings, test, job == UdpJob::client);
    check_files(findings, options);
  }
  check_clock(findings);
  return findings.end();
}

}  // namespace commands
