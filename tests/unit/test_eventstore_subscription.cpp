#include "eventstore/subscription.hpp"

#include "eventstore_server.hpp"

using eventstore::kAllOfThem;
using eventstore::Reading;
using eventstore::Subscription;
using eventstore::Target;
using namespace eventstore_server;
using Lines = std::vector<std::string>;

namespace {

const Target kOrders = {"orders", false, std::nullopt};
const Target kAll = {"", false, std::nullopt};

Place after(uint64_t revision) {
  return {Place::Kind::after, revision, {}};
}

Place after(uint64_t commit, uint64_t prepare) {
  return {Place::Kind::after, 0, {commit, prepare}};
}

const Place kStart = {};
const Place kEnd = {Place::Kind::end, 0, {}};

std::string frames(std::initializer_list<uint64_t> revisions) {
  std::string bytes = confirmation();
  for (const uint64_t revision : revisions) bytes += event_frame(revision);
  return bytes;
}

std::string all_frames(std::initializer_list<Position> positions) {
  std::string bytes = confirmation();
  for (const Position& position : positions) {
    bytes += event_frame(Told{position.commit, position});
  }
  return bytes;
}

}  // namespace

TEST_CASE("what is asked for at the beginning") {
  constexpr uint64_t kMost = INT64_MAX;
  struct {
    Target target;
    Reading reading;
    Place from;
    uint64_t count;
    std::string asked;
  } const rows[] = {
      // A subscription goes on behind the place.
      {kOrders, Reading::follow, kStart, kAllOfThem, "orders from start"},
      {kOrders, Reading::follow, kEnd, kAllOfThem, "orders from end"},
      {kOrders, Reading::follow, after(0), kAllOfThem, "orders from 0"},
      {kOrders, Reading::follow, after(kMost), kAllOfThem, "orders from 9223372036854775807"},
      {kAll, Reading::follow, after(8, 7), kAllOfThem, "$all from 8/7"},
      {kAll, Reading::follow, kEnd, kAllOfThem, "$all from end"},
      // A read begins at it.
      {kOrders, Reading::to_end, kStart, 5, "orders from start x5"},
      {kOrders, Reading::to_end, after(0), 5, "orders from 1 x5"},
      {kOrders, Reading::to_end, after(kMost - 1), 1, "orders from 9223372036854775807 x1"},
      // No number of an event is larger.
      {kOrders, Reading::to_end, after(kMost), 1, "orders from 9223372036854775807 x1"},
      {kOrders, Reading::to_end, after(UINT64_MAX), 1, "orders from 9223372036854775807 x1"},
      {kOrders, Reading::backwards, kEnd, 3, "orders from end backwards x3"},
      {kOrders, Reading::backwards, after(1), 3, "orders from 0 backwards x3"},
      // In $all the read gives what stands at the place once more.
      {kAll, Reading::to_end, after(8, 7), 5, "$all from 8/7 x6"},
      {kAll, Reading::to_end, kStart, 5, "$all from start x5"},
      {kAll, Reading::to_end, after(8, 7), kAllOfThem, "$all from 8/7 x9223372036854775807"},
      {{"", false, eventstore::Filter{}}, Reading::follow, kStart, 1, "$all from start filtered"},
      {{"orders", true, std::nullopt}, Reading::follow, kStart, 1, "orders from start links"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.asked);
    Server server;
    server.replies = {open_reply(confirmation())};
    Subscription events(server.nodes, server.options(), row.target, row.reading, row.from,
                        row.count);
    Event event;
    CHECK(events.next(event, 0) == Came::nothing);
    CHECK(server.asked == Lines{row.asked});
  }
}

TEST_CASE("after each kind of loss it goes on behind the last event, and gives none twice") {
  struct {
    std::string what;
    Reply reply;
  } const rows[] = {
      {"the connection breaks", broken(frames({0, 1, 2}))},
      {"within a message", broken(frames({0, 1, 2}) + event_frame(3).substr(0, 20))},
      {"the server ends it", {frames({0, 1, 2})}},
      {"it ends within a message", {frames({0, 1, 2}) + event_frame(3).substr(0, 20)}},
      {"too slow", status(10, "", frames({0, 1, 2}))},
      {"restart", status(14, "", frames({0, 1, 2}))},
      {"election", status(5, "not-leader", frames({0, 1, 2}))},
      {"a fault of the server", status(2, "", frames({0, 1, 2}))},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Server server;
    // The next server begins too early.
    server.replies = {row.reply, open_reply(frames({1, 2, 3, 4}))};
    Subscription events(server.nodes, server.options(), kOrders, Reading::follow, kStart);
    CHECK(drain(events, 5) == "0 1 2 3 4");
    CHECK(server.asked == Lines{"orders from start", "orders from 2"});
    CHECK(server.notices.size() == 2);
    CHECK(text_of(events.place()) == "4");
  }
}

TEST_CASE("a loss at each byte loses nothing") {
  const std::string bytes = frames({0, 1}) + caught_up_frame();
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    Server server;
    server.serve = [&](const std::string& asked) {
      if (server.asked.size() == 1) return broken(bytes.substr(0, cut));
      if (asked == "orders from start") return open_reply(frames({0, 1, 2}));
      return open_reply(asked == "orders from 0" ? frames({1, 2}) : frames({2}));
    };
    Subscription events(server.nodes, server.options(), kOrders, Reading::follow, kStart);
    REQUIRE(drain(events, 3) == "0 1 2");
  }
}

TEST_CASE("a server that confirms and breaks off at once is asked ever less often") {
  Server server;
  server.random = 1;
  server.serve = [](const std::string&) { return broken(confirmation()); };
  Subscription events(server.nodes, server.options(), kOrders, Reading::follow, kStart);
  Event event;
  const int64_t begun_ms = server.time.now_ms;
  while (server.time.now_ms < begun_ms + 3'600'000) events.next(event, 100);
  CHECK(server.asked.size() < 400);
  CHECK(server.asked.size() > 300);
}

TEST_CASE("in $all it goes on by position, and by both halves of it") {
  Server server;
  server.replies = {broken(all_frames({{10, 10}, {20, 15}, {20, 20}})),
                    open_reply(all_frames({{20, 15}, {20, 20}, {20, 21}, {30, 25}}))};
  Subscription events(server.nodes, server.options(), kAll, Reading::follow, after(5, 5));
  CHECK(drain(events, 5) == "10 20 20 20 30");
  CHECK(server.asked == Lines{"$all from 5/5", "$all from 20/20"});
  CHECK(text_of(events.place()) == "30/25");
}

TEST_CASE("of links the numbers count, not of what they point to") {
  Server server;
  const std::string links = event_frame(Told{900, {}, "ItemSold", 0, "{}", 1}) +
                            event_frame(Told{3, {}, "ItemSold", 0, "{}", 2});
  server.replies = {broken(confirmation() + links), open_reply(confirmation())};
  Subscription events(server.nodes, server.options(), {"orders", true, std::nullopt},
                      Reading::follow, after(0));
  CHECK(drain(events, 9) == "1 2");
  CHECK(server.asked == Lines{"orders from 0 links", "orders from 2 links"});
}

TEST_CASE("what the server passed over is not asked for again") {
  struct {
    std::string what;
    Target target;
    Place from;
    std::string frame;
    std::string came;
    std::string again;
  } const rows[] = {
      {"checkpoint", kAll, after(5, 5), checkpoint_frame({9, 9}), "advanced", "$all from 9/9"},
      {"from the start", kAll, kStart, checkpoint_frame({9, 9}), "advanced", "$all from 9/9"},
      {"of nothing", kAll, after(5, 5), checkpoint_frame({UINT64_MAX, UINT64_MAX}), "advanced",
       "$all from 5/5"},
      {"backwards", kAll, after(5, 5), checkpoint_frame({4, 4}), "advanced", "$all from 5/5"},
      {"caught up", kAll, after(5, 5), caught_up_frame({}, Position{9, 8}), "caught up",
       "$all from 9/8"},
      {"caught up without", kAll, after(5, 5), caught_up_frame(), "caught up", "$all from 5/5"},
      {"revision", kOrders, after(5), caught_up_frame(7), "caught up", "orders from 7"},
      {"of an empty stream", kOrders, kStart, caught_up_frame(-1), "caught up",
       "orders from start"},
      {"older revision", kOrders, after(5), caught_up_frame(4), "caught up", "orders from 5"},
      {"twice", kOrders, after(5), caught_up_frame(7) + caught_up_frame(7), "caught up caught up",
       "orders from 7"},
      {"the other's place", kOrders, after(5), caught_up_frame({}, Position{9, 8}), "caught up",
       "orders from 5"},
      {"the other's place too", kAll, after(5, 5), caught_up_frame(7), "caught up",
       "$all from 5/5"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Server server;
    server.replies = {broken(confirmation() + row.frame), open_reply(confirmation())};
    Subscription events(server.nodes, server.options(), row.target, Reading::follow, row.from);
    CHECK(drain(events, 9) == row.came);
    CHECK(server.asked.back() == row.again);
  }
}

TEST_CASE("a read ends at the end, for good") {
  Server server;
  server.replies = {{frames({0, 1})}};
  Subscription events(server.nodes, server.options(), kOrders, Reading::to_end, kStart);
  CHECK(drain(events, 9) == "0 1 end");
  CHECK(drain(events, 9) == "end");
  CHECK(server.asked.size() == 1);
}

TEST_CASE("a read that is lost goes on where it was") {
  struct {
    Target target;
    Reading reading;
    Place from;
    std::string first;
    std::string second;
    std::string came;
    std::string again;
  } const rows[] = {
      {kOrders, Reading::to_end, kStart, frames({0, 1}), frames({2}), "0 1 2 end",
       "orders from 2 x5"},
      {kOrders, Reading::backwards, kEnd, frames({9, 8}), frames({7}), "9 8 7 end",
       "orders from 7 backwards x5"},
      {kOrders, Reading::backwards, after(3), frames({2, 1}), frames({0}), "2 1 0 end",
       "orders from 0 backwards x5"},
      {kAll, Reading::to_end, kStart, all_frames({{5, 5}, {6, 6}}), all_frames({{6, 6}, {7, 7}}),
       "5 6 7 end", "$all from 6/6 x6"},
      {kAll, Reading::backwards, kEnd, all_frames({{7, 7}, {6, 6}}), all_frames({{6, 6}, {5, 5}}),
       "7 6 5 end", "$all from 6/6 backwards x6"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.again);
    Server server;
    server.replies = {broken(row.first), {row.second}};
    Subscription events(server.nodes, server.options(), row.target, row.reading, row.from, 5);
    CHECK(drain(events, 9) == row.came);
    CHECK(server.asked.back() == row.again);
  }
}

TEST_CASE("backwards it ends behind event 0 without a question") {
  Server server;
  server.replies = {broken(frames({1, 0}))};
  Subscription events(server.nodes, server.options(), kOrders, Reading::backwards, after(2));
  CHECK(drain(events, 9) == "1 0 end");
  CHECK(server.asked.size() == 1);
}

TEST_CASE("an absent stream is missing input for a read; a subscription waits for it") {
  Server server;
  server.replies = {{not_found_frame()}};
  Subscription read(server.nodes, server.options(), kOrders, Reading::to_end, kStart);
  CHECK(drain(read, 9) == "66 there is no stream orders");
  server.replies = {open_reply(confirmation() + caught_up_frame(-1) + event_frame(0))};
  Subscription follow(server.nodes, server.options(), kOrders, Reading::follow, kStart);
  CHECK(drain(follow, 2) == "caught up 0");
}

TEST_CASE("a deleted stream ends it with what came before, also in the middle") {
  for (const std::string& before : {confirmation(), frames({0, 1})}) {
    Server server;
    server.replies = {status(9, "stream-deleted", before)};
    Subscription events(server.nodes, server.options(), kOrders, Reading::follow, kStart);
    const std::string came = drain(events, 9);
    CHECK(came.ends_with("66 the server says FAILED_PRECONDITION: so it is"));
    CHECK(came.starts_with(before == confirmation() ? "66" : "0 1 66"));
    CHECK(server.notices.empty());
  }
}

TEST_CASE("a message that is none ends it with 76") {
  Server server;
  server.replies = {open_reply(confirmation() + framed("\x0a\x05\x0a"))};
  Subscription events(server.nodes, server.options(), kOrders, Reading::follow, kStart);
  CHECK(drain(events, 9).starts_with("76 the event store sent an answer that is cut or broken"));
}

TEST_CASE("an event to a target that was deleted keeps the place going") {
  Server server;
  std::string bytes;
  pbf_writer reply(bytes);
  {
    pbf_writer event(reply, 1);
    add_told(event, 2, {}, 4);
  }
  server.replies = {open_reply(confirmation() + framed(bytes))};
  Subscription events(server.nodes, server.options(), kOrders, Reading::follow, after(3));
  Event event;
  REQUIRE(events.next(event, 100) == Came::event);
  CHECK(event.is_missing);
  CHECK(text_of(events.place()) == "4");
}
