#include "eventstore/channel.hpp"

#include "eventstore_server.hpp"

using eventstore::Channel;
using namespace eventstore_server;

namespace {

Channel channel_of(Server& server) {
  return {server.nodes, server.options(), [] {
            eventstore::ReadRequest request;
            request.stream = "orders";
            return Channel::Request{eventstore::kReadPath, read_request(request)};
          }};
}

// Asks until an error comes ("75 words", and "!" where next() gave `most` times nothing), or data.
std::string outcome(Channel& channel, int most = 10'000, int64_t wait_ms = 100) {
  try {
    for (int i = 0; i < most; ++i) {
      std::string_view message;
      const net::Http2Came came = channel.next(message, wait_ms);
      if (came == net::Http2Came::data) return std::string(message);
      if (came == net::Http2Came::end) return "end";
    }
    return "!";
  } catch (const base::Error& error) {
    return fmt::format("{} {}", static_cast<int>(error.code()), error.what());
  }
}

std::vector<int64_t> waits_of(const Server& server) {
  std::vector<int64_t> waits;
  for (size_t i = 1; i < server.asked_ms.size(); ++i) {
    waits.push_back(server.asked_ms[i] - server.asked_ms[i - 1]);
  }
  return waits;
}

}  // namespace

TEST_CASE("once it was reached the waits between attempts double, by chance up to half shorter") {
  const std::vector<int64_t> longest = {100,   200,   400,    800,    1'600,
                                        3'200, 6'400, 10'000, 10'000, 10'000};
  for (const double random : {0.0, 1.0}) {
    Server server;
    server.random = random;
    server.serve = [&](const std::string&) {
      return broken(server.asked.size() == 1 ? framed("m") : "");
    };
    Channel channel = channel_of(server);
    REQUIRE(outcome(channel) == "m");
    while (server.asked.size() <= longest.size()) outcome(channel, 1);
    std::vector<int64_t> expected = longest;
    if (random == 0.0) {
      for (int64_t& wait : expected) wait /= 2;
    }
    CHECK(waits_of(server) == expected);
  }
}

TEST_CASE("what works, or lasted, makes the waits short again") {
  Server server;
  server.random = 1;
  server.replies = {broken(framed("m")), broken(), broken(), broken(framed("n")), broken()};
  Channel channel = channel_of(server);
  REQUIRE(outcome(channel) == "m");
  REQUIRE(outcome(channel) == "n");
  channel.works();
  SUBCASE("works") {
    server.replies.push_back(broken(framed("o")));
    REQUIRE(outcome(channel) == "o");
    CHECK(waits_of(server) == std::vector<int64_t>{100, 200, 400, 100, 200});
  }
  SUBCASE("lasted") {
    Reply lasting = broken(framed("x"));
    lasting.lasted_ms = 10'000;
    server.replies = {broken(), broken(), lasting, broken(framed("o"))};
    REQUIRE(outcome(channel) == "x");
    REQUIRE(outcome(channel) == "o");
    CHECK(waits_of(server) == std::vector<int64_t>{100, 200, 400, 100, 200, 400, 10'100});
  }
}

TEST_CASE("a person is told when it is lost and when it is there again, not of each attempt") {
  Server server;
  server.replies = {broken(framed("m")), broken(), broken(), broken(), open_reply(framed("n"))};
  Channel channel = channel_of(server);
  REQUIRE(outcome(channel) == "m");
  channel.works();
  REQUIRE(outcome(channel) == "n");
  CHECK(server.notices == std::vector<std::string>{"it broke; trying again"});
  channel.works();
  channel.works();
  CHECK(server.notices ==
        std::vector<std::string>{"it broke; trying again", "connected again, to one:2113"});
}

TEST_CASE("never reached, it is given up after maxDiscoverAttempts") {
  Server server("esdb://one:2113?tls=false&maxDiscoverAttempts=3&discoveryInterval=70");
  server.on_connect = [](const std::string&) {
    throw base::Error(base::exit_unavailable, "refused");
  };
  Channel channel = channel_of(server);
  const int64_t begun_ms = server.time.now_ms;
  CHECK(outcome(channel) == "69 refused");
  CHECK(server.connections.size() == 3);
  CHECK(server.time.now_ms - begun_ms == 140);
  CHECK(server.notices == std::vector<std::string>{"refused; trying again"});
}

TEST_CASE("once reached, it is not given up, however long it is away") {
  Server server("esdb://one:2113?tls=false&maxDiscoverAttempts=1");
  server.serve = [&](const std::string&) {
    return broken(server.asked.size() == 1 ? framed("m") : "");
  };
  Channel channel = channel_of(server);
  REQUIRE(outcome(channel) == "m");
  CHECK(outcome(channel, 100'000) == "!");
  CHECK(server.time.now_ms > 9'000'000);
}

TEST_CASE("max_downtime counts from the loss, is kept to, and begins anew when it is there again") {
  Server server;
  server.random = 1;
  server.max_downtime_ms = 5'000;
  server.serve = [&](const std::string&) {
    const size_t call = server.asked.size();
    if (call == 1 || call == 5) {
      Reply reply = broken(framed("m"));
      reply.lasted_ms = 60'000;
      return reply;
    }
    return broken();
  };
  Channel channel = channel_of(server);
  REQUIRE(outcome(channel) == "m");
  channel.works();
  REQUIRE(outcome(channel) == "m");
  channel.works();
  const int64_t lost_ms = server.time.now_ms + 60'000;
  CHECK(outcome(channel) == "75 it broke (given up after 5 s)");
  CHECK(server.time.now_ms - lost_ms == 5'000);
}

TEST_CASE("max_downtime also counts before it was ever reached, and 0 allows no loss") {
  Server server("esdb://one:2113?tls=false&maxDiscoverAttempts=1");
  server.serve = [](const std::string&) { return broken(); };
  server.max_downtime_ms = 2'000;
  Channel patient = channel_of(server);
  CHECK(outcome(patient) == "75 it broke (given up after 2 s)");
  CHECK(server.asked.size() > 2);
  server.asked.clear();
  server.max_downtime_ms = 0;
  Channel hasty = channel_of(server);
  CHECK(outcome(hasty) == "75 it broke (given up after 0 s)");
  CHECK(server.asked.size() == 1);
}

TEST_CASE("replies that stay malformed are given up, also by a server that was reached") {
  Server server("esdb://one:2113?tls=false&maxDiscoverAttempts=4");
  std::string compressed = framed("m");
  compressed[0] = 1;
  server.serve = [&](const std::string&) {
    return open_reply(server.asked.size() == 3 ? framed("n") : compressed);
  };
  Channel channel = channel_of(server);
  REQUIRE(outcome(channel) == "n");
  channel.works();
  server.sent.clear();
  channel.fail({base::exit_retries_spent, "it broke"});
  CHECK(outcome(channel).starts_with("76 the event store sent a compressed message"));
  CHECK(server.sent.size() == 3);
}

TEST_CASE("what makes no sense to try again is thrown at once") {
  struct {
    Reply reply;
    std::string begin;
  } const rows[] = {
      {status(7), "77 "},
      {status(16), "77 "},
      {status(9, "stream-deleted"), "66 "},
      {status(5, "persistent-subscription-does-not-exist"), "66 "},
      {status(3), "76 "},
      {broken("", base::exit_interrupted), "130 "},
      {broken("", base::exit_configuration), "78 "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.begin);
    Server server;
    server.replies = {row.reply};
    Channel channel = channel_of(server);
    CHECK(outcome(channel).starts_with(row.begin));
    CHECK(server.notices.empty());
  }
}

TEST_CASE("while it is lost next() keeps to its time and opens nothing before its turn") {
  Server server;
  server.random = 1;
  server.replies = {broken(framed("m")), broken(framed("n"))};
  Channel channel = channel_of(server);
  REQUIRE(outcome(channel) == "m");
  REQUIRE(outcome(channel, 1) == "!");
  const int64_t lost_ms = server.time.now_ms;
  CHECK(outcome(channel, 1'000, 0) == "!");
  CHECK(server.time.now_ms == lost_ms);
  CHECK(outcome(channel, 3, 30) == "!");
  CHECK(server.time.now_ms == lost_ms + 90);
  CHECK(server.asked.size() == 1);
  CHECK(outcome(channel, 1, 30) == "n");
  CHECK(server.time.now_ms == lost_ms + 100);
}

TEST_CASE("the call ended well: the next one opens another, at once") {
  Server server;
  server.replies = {{framed("m")}, {framed("n")}};
  Channel channel = channel_of(server);
  CHECK(outcome(channel) == "m");
  CHECK(outcome(channel) == "end");
  CHECK(outcome(channel) == "n");
  CHECK(waits_of(server) == std::vector<int64_t>{0});
  CHECK(server.connections.size() == 1);
  CHECK(server.notices.empty());
}

TEST_CASE("not-leader leads to the leader, and only once") {
  Server server;
  Reply elsewhere = status(5, "not-leader");
  elsewhere.trailers.emplace_back("leader-endpoint-host", "two");
  elsewhere.trailers.emplace_back("leader-endpoint-port", "2114");
  server.replies = {elsewhere, broken(framed("m")), broken(framed("n"))};
  Channel channel = channel_of(server);
  CHECK(outcome(channel) == "m");
  CHECK(channel.server() == "two:2114");
  CHECK(outcome(channel) == "n");
  CHECK(server.connections == std::vector<std::string>{"one:2113", "two:2114", "one:2113"});
}

TEST_CASE("a leader that can't be reached is left for the seeds") {
  Server server;
  Reply elsewhere = status(5, "not-leader", framed("m"));
  elsewhere.trailers.emplace_back("leader-endpoint-host", "gone");
  elsewhere.trailers.emplace_back("leader-endpoint-port", "1");
  server.replies = {elsewhere, open_reply(framed("n"))};
  server.on_connect = [](const std::string& endpoint) {
    if (endpoint == "gone:1") throw base::Error(base::exit_unavailable, "refused");
  };
  Channel channel = channel_of(server);
  CHECK(outcome(channel) == "m");
  CHECK(outcome(channel) == "n");
  CHECK(server.connections == std::vector<std::string>{"one:2113", "gone:1", "one:2113"});
}

TEST_CASE("to send or to leave without a call does nothing") {
  Server server;
  Channel channel = channel_of(server);
  channel.send("m");
  channel.leave(1'000);
  CHECK(server.asked.empty());
  CHECK(server.connections.empty());
}

TEST_CASE("leaving waits for the server's end, and no longer than it is told") {
  struct {
    std::string what;
    Reply reply;
    int64_t most_ms;
  } rows[] = {
      {"it ends", open_reply(framed("m") + framed("late")), 0},
      {"it never ends", open_reply(framed("m")), 1'000},
      {"it breaks", broken(framed("m")), 0},
  };
  rows[1].reply.ignores_finish = true;
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Server server;
    server.replies = {row.reply};
    Channel channel = channel_of(server);
    REQUIRE(outcome(channel) == "m");
    const int64_t begun_ms = server.time.now_ms;
    channel.leave(1'000);
    CHECK(server.time.now_ms - begun_ms <= row.most_ms);
    CHECK(server.sent[0]->is_finished);
    CHECK(server.sent[0]->is_gone);
    CHECK(server.notices.empty());
  }
}
