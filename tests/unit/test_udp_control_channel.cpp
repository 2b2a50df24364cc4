#include <mutex>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "udp/clocks.hpp"
#include "udp/control_client.hpp"
#include "udp_control_loopback.hpp"

using namespace udp;
using udp_control_loopback::connect_to;
using udp_control_loopback::Peer;
using udp_control_loopback::RunningServer;

namespace {

constexpr ControlWaits kShort{.answer_ms = 2000, .ping_ms = 5, .again_ms = 5};

SessionRequest request_of(uint32_t clients) {
  SessionRequest request;
  request.clients = clients;
  request.codec.name = "g711";
  return request;
}

Sent sent_by(uint32_t clients) {
  Sent sent;
  sent.packets.assign(clients, 5);
  sent.errors.assign(clients, 0);
  return sent;
}

void ignore(const Sessions::Progress&) {}

// Connects to the server and keeps the descriptor, so that a test can break the connection.
struct Line {
  explicit Line(uint16_t server) : port(server) {}

  ControlClient::Connect connect() {
    return [this] {
      const std::lock_guard lock(mutex);
      ++times;
      if (is_cut) throw base::Error(base::exit_unavailable, "no way");
      if (is_stopped) throw base::Error(base::exit_interrupted, "stopped");
      fd = connect_to(port);
      return fd;
    };
  }
  void cut() {
    const std::lock_guard lock(mutex);
    ::shutdown(fd, SHUT_RDWR);
  }
  int connections() {
    const std::lock_guard lock(mutex);
    return times;
  }

  uint16_t port;
  std::mutex mutex;
  int fd = -1;
  int times = 0;
  bool is_cut = false;
  bool is_stopped = false;
};

int code_of(const auto& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.code();
  }
  return 0;
}

bool becomes(const auto& condition) {
  for (int i = 0; i < 2500 && !condition(); ++i) base::real_clock().sleep_ms(2);
  return condition();
}

// A server of one connection that answers each line by what it is given here.
struct ScriptedServer {
  explicit ScriptedServer(std::function<std::string(const std::string&)> words)
      : listener(net::listen_at("127.0.0.1", 0)), answer(std::move(words)) {
    thread = std::thread([this] {
      pollfd one{.fd = listener.fd, .events = POLLIN, .revents = 0};
      if (::poll(&one, 1, 2000) <= 0) return;
      Peer peer(::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC));
      for (std::string line = peer.line(); line.starts_with('{'); line = peer.line()) {
        const std::string words_now = answer(line);
        if (words_now == "close") return;
        peer.say(words_now);
      }
    });
  }
  ~ScriptedServer() {
    thread.join();
    ::close(listener.fd);
  }

  net::ListenSocket listener;
  std::function<std::string(const std::string&)> answer;
  std::thread thread;
};

// Welcome and pongs, then silence once there was a beginning.
std::string answer_until_begin(const std::string& line) {
  const auto message = control::read(line);
  if (!message) return "";
  if (std::holds_alternative<control::Hello>(*message)) {
    return control::write(control::Welcome{.cookie = 7, .echo = false});
  }
  const auto* ping = std::get_if<control::Ping>(&*message);
  if (ping == nullptr) return "";
  return control::write(
      control::Pong{.t1_ns = ping->t1_ns, .t2_ns = monotonic_ns(), .t3_ns = monotonic_ns()});
}

}  // namespace

TEST_CASE("a client compares the clocks, begins and gets its report") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(3), kShort);
  CHECK(client.cookie() != 0);
  CHECK_FALSE(client.echo());
  CHECK(std::abs(client.offset().offset_ns) <= client.offset().bound_ns);
  CHECK(client.worst_bound_ns() > 0);
  client.start(monotonic_ns(), ignore);
  const auto report = client.finish(sent_by(3), 2000);
  REQUIRE(report);
  CHECK(report->received.flows.size() == 3);
  CHECK(report->received.is_bound_known);
  CHECK(client.why().empty());
  CHECK(line.connections() == 1);
}

TEST_CASE("a client tells the server each new offset and its beginning") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(1), kShort);
  const auto session = [&](const auto& has) {
    bool is = false;
    server.sessions.locked([&](std::map<uint64_t, Session>& sessions, Tallies&) {
      is = has(sessions.at(client.cookie()));
    });
    return is;
  };
  CHECK(becomes([&] { return session([](Session& one) { return one.is_offset_known; }); }));
  session([](Session& one) { return one.is_offset_known = false; });
  client.start(1234, ignore);
  CHECK(becomes([&] { return session([](Session& one) { return one.begin_ns == 1234; }); }));
  CHECK(becomes([&] { return session([](Session& one) { return one.is_offset_known; }); }));
}

TEST_CASE("a second's figures are passed on once") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(1), kShort);
  std::atomic<int> calls = 0;
  std::atomic<int64_t> last = -1;
  client.start(monotonic_ns() - 10'000'000'000, [&](const Sessions::Progress& progress) {
    ++calls;
    last = progress.second;
  });
  CHECK(becomes([&] { return calls > 0; }));
  CHECK(calls == 1);
  CHECK(last >= 8);
}

TEST_CASE("a broken connection is made again, and the report comes over the new one") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(2), kShort);
  client.start(monotonic_ns(), ignore);
  line.cut();
  CHECK(becomes([&] { return line.connections() == 2; }));
  const auto report = client.finish(sent_by(2), 2000);
  REQUIRE(report);
  CHECK(report->echoes.size() == 2);
}

TEST_CASE("a connection that breaks while the report is due is made again") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(2), kShort);
  client.start(monotonic_ns(), ignore);
  {
    const std::lock_guard lock(line.mutex);
    line.is_cut = true;
  }
  line.cut();
  std::thread repair([&] {
    base::real_clock().sleep_ms(30);
    const std::lock_guard lock(line.mutex);
    line.is_cut = false;
  });
  const auto report = client.finish(sent_by(2), 2000);
  repair.join();
  CHECK(report);
  CHECK(line.connections() > 2);
}

TEST_CASE("a client without a way back says why, in time") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(1), kShort);
  client.start(monotonic_ns(), ignore);
  {
    const std::lock_guard lock(line.mutex);
    line.is_cut = true;
  }
  line.cut();
  CHECK(becomes([&] { return client.why().ends_with("; coming back failed: no way"); }));
  CHECK_FALSE(client.finish(sent_by(1), 10));
  CHECK(client.why().starts_with("the control connection broke 0 s after the beginning: "));
  CHECK(client.why().ends_with("; coming back failed: no way"));
}

TEST_CASE("a stop ends coming back at once") {
  RunningServer server;
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(1), kShort);
  client.start(monotonic_ns(), ignore);
  {
    const std::lock_guard lock(line.mutex);
    line.is_stopped = true;
  }
  line.cut();
  const int64_t before_ms = base::monotonic_ms();
  CHECK_FALSE(client.finish(sent_by(1), 5000));
  CHECK(base::monotonic_ms() - before_ms < 1000);
  CHECK(client.why().starts_with("stopped"));
  CHECK(line.connections() == 2);
}

TEST_CASE("a server that was restarted is named as the reason") {
  auto first = std::make_unique<RunningServer>();
  RunningServer second;
  Line line(first->listener.port);
  ControlClient client(line.connect(), request_of(1), kShort);
  client.start(monotonic_ns(), ignore);
  {
    const std::lock_guard lock(line.mutex);
    line.port = second.listener.port;
  }
  first.reset();
  const int64_t before_ms = base::monotonic_ms();
  CHECK_FALSE(client.finish(sent_by(1), 5000));
  CHECK(base::monotonic_ms() - before_ms < 1000);
  CHECK(client.why() == "the server does not know the session any more; it was restarted");
}

TEST_CASE("a connection that fell silent counts as broken") {
  std::atomic<bool> is_silent = false;
  ScriptedServer server([&](const std::string& line) {
    if (line.find("begin_ns") != std::string::npos) is_silent = true;
    return is_silent ? "" : answer_until_begin(line);
  });
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(1),
                       {.answer_ms = 200, .ping_ms = 5, .again_ms = 5});
  client.start(monotonic_ns(), ignore);
  {
    const std::lock_guard lock(line.mutex);
    line.is_cut = true;
  }
  CHECK(becomes([&] { return client.why().find("silent for 200 ms") != std::string::npos; }));
}

TEST_CASE("a server that answers pings but has no report is waited for no longer than agreed") {
  ScriptedServer server(answer_until_begin);
  Line line(server.listener.port);
  ControlClient client(line.connect(), request_of(1), kShort);
  client.start(monotonic_ns(), ignore);
  CHECK_FALSE(client.finish(sent_by(1), 30));
  CHECK(client.why() == "the server sent no report within 30 ms");
}

TEST_CASE("a server that does not open a session is an error") {
  struct Row {
    const char* answer;
    int code;
  };
  const Row rows[] = {
      {"", base::exit_unavailable},
      {"close", base::exit_unavailable},
      {"{\"error\":\"full\",\"code\":75}\n", base::exit_unavailable},
      {"HTTP/1.1 400 Bad Request\r\n\r\n", base::exit_malformed_reply},
      {"{\"pong\":1,\"t2\":1,\"t3\":1}\n", base::exit_malformed_reply},
      {"{\"session\":\"000000000000000a\"}\n", base::exit_unavailable},  // then nothing
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer);
    bool is_first = true;
    ScriptedServer server([&](const std::string&) {
      const std::string words = is_first ? row.answer : "";
      is_first = false;
      return words;
    });
    Line line(server.listener.port);
    const ControlWaits waits{.answer_ms = 20};
    CHECK(code_of([&] { ControlClient client(line.connect(), request_of(1), waits); }) == row.code);
  }
  Line line(1);
  line.is_cut = true;
  CHECK(code_of([&] { ControlClient client(line.connect(), request_of(1)); }) ==
        base::exit_unavailable);
}
