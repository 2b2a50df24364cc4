#include "eventstore/group.hpp"

#include "eventstore_server.hpp"

using eventstore::Group;
using eventstore::Nack;
using namespace eventstore_server;
using Lines = std::vector<std::string>;

namespace {

std::unique_ptr<Group> join(Server& server) {
  return std::make_unique<Group>(server.nodes, server.options(), "orders", "g", 10);
}

}  // namespace

TEST_CASE("answers go out with the next look, acks before nacks, on the call that is open") {
  Server server;
  server.replies = {open_reply(confirmation() + event_frame(1) + event_frame(2))};
  const auto group = join(server);
  CHECK(drain(*group, 2) == "1 2");
  group->nack(id_of(2), Nack::park, "no");
  group->ack(id_of(1));
  CHECK(server.sent[0]->answers.empty());
  CHECK(drain(*group, 1) == "");
  CHECK(server.sent[0]->answers == Lines{"ack 1", "nack(1) 2"});
  group->nack(id_of(3), Nack::retry, "stops");
  group->flush();
  CHECK(server.sent[0]->answers.back() == "nack(2) 3");
  CHECK(server.asked == Lines{"join"});
}

TEST_CASE("an event that came by a link is acknowledged by the link's id") {
  Server server;
  server.replies = {open_reply(event_frame(Told{900, {}, "ItemSold", 0, "{}", 4}))};
  const auto group = join(server);
  Event event;
  REQUIRE(group->next(event, 10) == Came::event);
  CHECK(event.original_id() == id_of(4));
}

TEST_CASE("many acks are sent in pieces that the server takes") {
  Server server;
  server.replies = {open_reply(confirmation())};
  const auto group = join(server);
  drain(*group, 1);
  for (uint64_t i = 1; i <= 4'001; ++i) group->ack(id_of(i));
  group->flush();
  REQUIRE(server.sent[0]->answers.size() == 3);
  CHECK(server.sent[0]->answers[1].starts_with("ack 2001 "));
  CHECK(server.sent[0]->answers[2] == "ack 4001");
}

TEST_CASE("after a loss it joins again; what was said meanwhile is dropped") {
  struct {
    std::string what;
    Reply reply;
  } const rows[] = {
      {"a break", broken(confirmation() + event_frame(1))},
      {"an end", {confirmation() + event_frame(1)}},
      {"dropped", status(1, "persistent-subscription-dropped", confirmation() + event_frame(1))},
      {"the old consumer still counts",
       status(9, "maximum-subscribers-reached", confirmation() + event_frame(1))},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Server server;
    server.replies = {row.reply, open_reply(confirmation() + event_frame(1))};
    const auto group = join(server);
    CHECK(drain(*group, 1) == "1");
    Event event;
    REQUIRE(group->next(event, 0) == Came::nothing);
    group->ack(id_of(1));
    CHECK(group->next(event, 0) == Came::nothing);
    CHECK(drain(*group, 1) == "1");
    CHECK(server.sent[1]->answers.empty());
    group->ack(id_of(1));
    drain(*group, 1);
    CHECK(server.sent[1]->answers == Lines{"ack 1"});
  }
}

TEST_CASE("a group that is not there, or was deleted") {
  Server server;
  server.replies = {status(1, "persistent-subscription-dropped", confirmation() + event_frame(1)),
                    status(5, "persistent-subscription-does-not-exist")};
  const auto group = join(server);
  CHECK(drain(*group, 9) == "1 66 the server says NOT_FOUND: so it is");
}

TEST_CASE("while it is lost nothing spins and next() keeps to its time") {
  Server server;
  server.random = 1;
  server.replies = {{confirmation() + event_frame(1)}, open_reply(confirmation())};
  const auto group = join(server);
  REQUIRE(drain(*group, 1) == "1");
  Event event;
  const int64_t begun_ms = server.time.now_ms;
  int looks = 0;
  while (server.asked.size() < 2) {
    REQUIRE(group->next(event, 50) == Came::nothing);
    ++looks;
  }
  CHECK(looks <= 3);
  CHECK(server.time.now_ms - begun_ms >= 100);
}

TEST_CASE("leaving sends what was said, then says goodbye") {
  Server server;
  server.replies = {open_reply(confirmation() + event_frame(1))};
  const auto group = join(server);
  REQUIRE(drain(*group, 1) == "1");
  group->ack(id_of(1));
  group->leave();
  CHECK(server.sent[0]->answers == Lines{"ack 1"});
  CHECK(server.sent[0]->is_finished);
  CHECK(server.sent[0]->is_gone);
}
