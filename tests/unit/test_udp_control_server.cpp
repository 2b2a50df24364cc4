#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "udp/clocks.hpp"
#include "udp/control.hpp"
#include "udp_control_loopback.hpp"

using namespace udp;
using udp_control_loopback::connect_to;
using udp_control_loopback::Peer;
using udp_control_loopback::RunningServer;

namespace {

std::string hello(uint32_t clients = 1, bool echo = false) {
  SessionRequest request;
  request.clients = clients;
  request.echo = echo;
  request.codec.name = "g711";
  return control::write(control::Hello{request});
}

template <typename Words>
Words hear(Peer& peer) {
  const std::string line = peer.line();
  CAPTURE(line);
  REQUIRE(line.starts_with('{'));
  const auto message = control::read(line);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<Words>(*message));
  return std::get<Words>(*message);
}

std::string end_of(uint64_t clients) {
  Sent sent;
  sent.packets.assign(clients, 500);
  sent.errors.assign(clients, 0);
  return control::write(control::End{sent});
}

// Lets the data thread's work be done: a packet of the first caller.
void take_a_packet(RunningServer& server, uint64_t cookie) {
  server.sessions.locked([&](std::map<uint64_t, Session>& sessions, Tallies&) {
    sessions.at(cookie).receiver.take({.client = 0, .cookie = cookie}, 1000, 0,
                                      *read_address("127.0.0.1"));
  });
}

bool is_connected(RunningServer& server, uint64_t cookie) {
  bool is = false;
  server.sessions.locked([&](std::map<uint64_t, Session>& sessions, Tallies&) {
    is = sessions.at(cookie).is_connected;
  });
  return is;
}

bool becomes(const auto& condition) {
  for (int i = 0; i < 10'000 && !condition(); ++i) base::real_clock().sleep_ms(2);
  return condition();
}

}  // namespace

TEST_CASE("a session is opened, measured and reported over one connection") {
  RunningServer server;
  Peer peer(server);
  peer.say(hello(2));
  const auto welcome = hear<control::Welcome>(peer);
  CHECK_FALSE(welcome.echo);
  const int64_t t1_ns = monotonic_ns();
  peer.say(control::write(control::Ping{t1_ns}));
  const auto pong = hear<control::Pong>(peer);
  CHECK(pong.t1_ns == t1_ns);
  CHECK(pong.t2_ns >= t1_ns);
  CHECK(pong.t3_ns >= pong.t2_ns);
  CHECK(monotonic_ns() >= pong.t3_ns);
  peer.say(control::write(control::OffsetIs{{.offset_ns = 1000, .bound_ns = 50'000}}));
  peer.say(control::write(control::Begin{monotonic_ns()}));
  take_a_packet(server, welcome.cookie);
  peer.say(end_of(2));
  const auto report = hear<control::FinalReport>(peer);
  REQUIRE(report.received.flows.size() == 2);
  CHECK(report.received.flows[0].counts.received == 1);
  CHECK(report.received.is_bound_known);
  CHECK(report.received.bound_us == 51);
  CHECK(report.echoes == std::vector<uint64_t>{0, 0});
  CHECK(becomes([&] { return server.sessions.open_count() == 0; }));
  const auto ended = server.sessions.take_ended(monotonic_ns(), false);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].why.empty());
  REQUIRE(ended[0].sent);
  CHECK(ended[0].sent->packets == std::vector<uint64_t>{500, 500});
}

TEST_CASE("a server that answers all says so, and echoes") {
  RunningServer server({.answers_all = true});
  Peer peer(server);
  peer.say(hello());
  const auto welcome = hear<control::Welcome>(peer);
  CHECK(welcome.echo);
  Peer again(server);
  again.say(control::write(control::Resume{welcome.cookie}));
  CHECK(hear<control::Welcome>(again).echo);
  server.sessions.locked([&](std::map<uint64_t, Session>& sessions, Tallies&) {
    CHECK(sessions.at(welcome.cookie).request.echo);
  });
}

TEST_CASE("a client that comes back is told the same report twice") {
  RunningServer server;
  uint64_t cookie = 0;
  {
    Peer peer(server);
    peer.say(hello());
    cookie = hear<control::Welcome>(peer).cookie;
    take_a_packet(server, cookie);
  }
  CHECK(becomes([&] { return !is_connected(server, cookie); }));
  std::string reports[2];
  for (std::string& report : reports) {
    Peer peer(server);
    peer.say(control::write(control::Resume{cookie}));
    CHECK(hear<control::Welcome>(peer).cookie == cookie);
    CHECK(is_connected(server, cookie));
    peer.say(end_of(1));
    report = peer.line();
  }
  CHECK(reports[0].starts_with("{\"report\":{\"received\":[1]"));
  CHECK(reports[0] == reports[1]);
}

TEST_CASE("a connection that was replaced does not disconnect its session") {
  RunningServer server;
  Peer old(server);
  old.say(hello());
  const uint64_t cookie = hear<control::Welcome>(old).cookie;
  Peer fresh(server);
  fresh.say(control::write(control::Resume{cookie}));
  hear<control::Welcome>(fresh);
  CHECK(old.line().empty());
  fresh.say(control::write(control::Ping{1}));
  hear<control::Pong>(fresh);
  CHECK(is_connected(server, cookie));
}

TEST_CASE("what is refused is told why, and closed") {
  struct Row {
    std::string said;
    int code;
    const char* reason;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", base::exit_malformed_reply, "no JSON object"},
      {"{\"hello\":2}\n", base::exit_malformed_reply, "version 2"},
      {"{\"ping\":1}\n", base::exit_malformed_reply, "hello first"},
      {hello() + hello(), base::exit_malformed_reply, "hello once"},
      {hello() + "{\"pong\":1,\"t2\":2,\"t3\":3}\n", base::exit_malformed_reply, "a server's"},
      {hello(2) + end_of(1), base::exit_malformed_reply, "another number of clients"},
      {hello(11), base::exit_retries_spent, "takes no more"},
      {control::write(control::Resume{5}), base::exit_missing_input, "does not know this session"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.said);
    RunningServer server({}, {.sessions = 2, .clients = 10});
    Peer peer(server);
    peer.say(row.said);
    std::string line = peer.line();
    if (line.find("\"session\"") != std::string::npos) line = peer.line();
    const auto read = control::read(line);
    REQUIRE(read);
    REQUIRE(std::holds_alternative<control::Refusal>(*read));
    CHECK(std::get<control::Refusal>(*read).code == row.code);
    CHECK(std::get<control::Refusal>(*read).text.find(row.reason) != std::string::npos);
    CHECK(peer.line().empty());
  }
}

TEST_CASE("who only asks what the server has room for is told, opens no session, and is closed") {
  RunningServer server({}, {.sessions = 2, .clients = 10});
  Peer client(server);
  client.say(hello(3));
  hear<control::Welcome>(client);
  Peer asking(server);
  asking.say(control::write(control::About{}) + control::write(control::Ping{1}));
  const auto abilities = hear<control::Abilities>(asking);
  CHECK(abilities.version == PRODUCT_VERSION);
  CHECK(abilities.room.sessions == 1);
  CHECK(abilities.room.most_sessions == 2);
  CHECK(abilities.room.callers == 3);
  CHECK(abilities.room.most_callers == 10);
  CHECK(asking.line().empty());
}

TEST_CASE("who is not allowed is closed without a word") {
  RunningServer server({.allow = {read_cidr("10.8.0.0/16", "--allow")}});
  Peer peer(server);
  CHECK(peer.line().empty());
  RunningServer open({.allow = {read_cidr("127.0.0.0/8", "--allow")}});
  Peer allowed(open);
  allowed.say(hello());
  hear<control::Welcome>(allowed);
}

TEST_CASE("who says no hello is closed in time, who said it is not") {
  ControlServerOptions options;
  options.hello_ms = 100;
  RunningServer server(options);
  Peer good(server);
  good.say(hello());
  hear<control::Welcome>(good);
  Peer silent(server);
  Peer slow(server);
  slow.say("{\"hel");
  CHECK(silent.line().empty());
  CHECK(slow.line().empty());
  good.say(control::write(control::Ping{1}));
  hear<control::Pong>(good);
}

TEST_CASE("more connections than the limit are closed at once") {
  RunningServer server({.connections = 2});
  Peer one(server), two(server);
  one.say(hello());
  two.say(hello());
  hear<control::Welcome>(one);
  hear<control::Welcome>(two);
  Peer three(server);
  CHECK(three.line().empty());
}

TEST_CASE("lines are 4 KiB before the hello and 8 MiB after it at most") {
  RunningServer server;
  const std::string padding(4 * 1024, ' ');
  for (const std::string& line : {padding + "x", padding + hello(), "{" + padding + "}\n"}) {
    Peer peer(server);
    peer.say(line);
    CHECK(peer.line().empty());
  }
  Peer peer(server);
  peer.say(hello());
  hear<control::Welcome>(peer);
  peer.say(std::string(7 * 1024 * 1024, ' ') + control::write(control::Ping{1}));
  hear<control::Pong>(peer);
  peer.say(std::string(8 * 1024 * 1024 + 100'000, ' '));
  CHECK(peer.line().empty());
}

TEST_CASE("who does not read what it is sent is closed") {
  ControlServerOptions options;
  options.waiting = 500'000;
  RunningServer server(options, {.clients = 5000});
  Peer peer(connect_to(server.listener.port, 16'384));
  peer.say(hello(5000));
  const uint64_t cookie = hear<control::Welcome>(peer).cookie;
  for (int i = 0; i < 3; ++i) peer.say(end_of(5000));
  CHECK(is_connected(server, cookie));
  for (int i = 0; i < 60 && is_connected(server, cookie); ++i) peer.say(end_of(5000));
  CHECK(becomes([&] { return !is_connected(server, cookie); }));
}

TEST_CASE("a report on its way outlives a stop") {
  RunningServer server({}, {.clients = 10'000});
  Peer peer(connect_to(server.listener.port, 65'536));
  peer.say(hello(10'000));
  hear<control::Welcome>(peer);
  peer.say(end_of(10'000));
  CHECK(becomes([&] { return server.sessions.open_count() == 0; }));
  server.stop = true;
  const auto report = hear<control::FinalReport>(peer);
  CHECK(report.echoes.size() == 10'000);
  CHECK(peer.line().empty());
}
