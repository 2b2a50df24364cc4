#include "eventstore/lane.hpp"

#include <map>

#include "eventstore_lane_stage.hpp"

using eventstore::Event;
using eventstore::Lane;
using namespace eventstore_lane_stage;

namespace {

constexpr int64_t kLongMs = 20'000;

// A lane with a worker, and what it says: "batch(3)", "done(1)", "bad(2 words)", "fail(74 words)".
struct Stage {
  Time time;
  Log log;
  std::atomic<bool> stop = false;
  eventstore::LaneShared shared;
  std::unique_ptr<Lane> lane;

  Stage() {
    shared.clock = time.clock();
    shared.stop = [this] { return stop.load(); };
    shared.done = [this](std::span<const uint64_t> tickets, std::span<const Event> events,
                         const std::string& state) {
      CHECK(tickets.size() == events.size());
      for (size_t i = 0; i < events.size(); ++i) CHECK(tickets[i] == events[i].revision + 100);
      CHECK(state == "after " + std::to_string(events.back().revision));
      log.add(fmt::format("done({})", events.size()));
    };
    shared.bad = [this](uint64_t ticket, const Event& event, const std::string& problem,
                        const std::string&) {
      CHECK(ticket == event.revision + 100);
      log.add(fmt::format("bad({} {})", event.revision, problem));
    };
    shared.on_first_failure = [this](const Event& event, const std::string& problem) {
      log.add(fmt::format("failed({} {})", event.revision, problem));
    };
    shared.fail = [this](const base::Error& error) {
      log.add(fmt::format("fail({} {})", static_cast<int>(error.code()), error.what()));
      stop = true;
    };
  }

  void start(std::unique_ptr<eventstore::Processor> processor) {
    lane = std::make_unique<Lane>(shared, std::move(processor));
  }
  void start(std::function<void(const Event&)> work) {
    start(std::make_unique<Worker>(
        std::move(work), [this](size_t events) { log.add(fmt::format("batch({})", events)); }));
  }
  void offer(uint64_t from, uint64_t to) {
    for (uint64_t i = from; i <= to; ++i) {
      Event event = event_of(i);
      REQUIRE(lane->offer(event, i + 100, kLongMs));
    }
  }
  void end() {
    lane->close();
    for (int i = 0; i < 20'000 && !lane->has_ended(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(lane->has_ended());
  }
  std::string left() {
    std::string text;
    for (const Event& event : lane->left()) text += std::to_string(event.revision) + " ";
    return text;
  }
};

[[noreturn]] void bad(const std::string& words = "no") {
  throw base::Error(base::exit_bad_input, words);
}

}  // namespace

TEST_CASE("events are done in their order, those that wait in one go") {
  Stage stage;
  Gate gate;
  std::vector<uint64_t> seen;
  stage.start([&](const Event& event) {
    if (event.revision == 1) gate.pass();
    seen.push_back(event.revision);
  });
  stage.offer(1, 1);
  REQUIRE(stage.log.wait_for(1));
  stage.offer(2, 600);
  gate.open();
  stage.end();
  CHECK(stage.log.text() ==
        "batch(1) done(1) batch(256) done(256) batch(256) done(256) batch(87) done(87)");
  REQUIRE(seen.size() == 600);
  for (uint64_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == i + 1);
  CHECK(stage.left().empty());
}

TEST_CASE("an event that fails is tried alone, and those behind it are then done together") {
  Stage stage;
  Gate gate;
  int failures = 0;
  stage.start([&](const Event& event) {
    if (event.revision == 1) gate.pass();
    if (event.revision == 3 && ++failures < 4) bad();
  });
  stage.offer(1, 1);
  REQUIRE(stage.log.wait_for(1));
  stage.offer(2, 6);
  gate.open();
  stage.end();
  CHECK(stage.log.text() ==
        "batch(1) done(1) batch(5) done(1) failed(3 no; it is tried again, 10 times in all) "
        "batch(1) batch(1) batch(1) done(1) "
        "batch(3) done(3)");
}

TEST_CASE("attempts that are spent, and the waits between them") {
  struct {
    int attempts;
    int64_t first_wait_ms;
    int64_t waited_ms;
  } const rows[] = {
      {1, 100, 0},
      {2, 100, 100},
      {10, 100, 51'100},
      {4, 0, 0},
      {12, 100, 100 * 511 + 2 * 30'000},  // at most 30 s each
      {40, 1, 0},                         // checked below: no overflow
  };
  for (const auto& row : rows) {
    CAPTURE(row.attempts);
    Stage stage;
    stage.shared.attempts = row.attempts;
    stage.shared.first_wait_ms = row.first_wait_ms;
    std::atomic<int> calls = 0;
    const int64_t begun_ms = stage.time.now_ms;
    stage.start([&](const Event& event) {
      if (event.revision == 1 && ++calls > 0) bad();
    });
    stage.offer(1, 2);
    stage.end();
    CHECK(calls == row.attempts);
    CHECK(stage.log.text().find("bad(1 no)") != std::string::npos);
    CHECK(stage.log.text().ends_with("done(1)"));
    if (row.waited_ms > 0 || row.attempts < 10) {
      CHECK(stage.time.now_ms - begun_ms == row.waited_ms);
    }
  }
}

TEST_CASE("attempts are counted for each event anew") {
  Stage stage;
  stage.shared.attempts = 3;
  std::map<uint64_t, int> calls;
  stage.start([&](const Event& event) {
    if (++calls[event.revision] < 3) bad();
  });
  stage.offer(1, 3);
  stage.end();
  CHECK(stage.log.text().find("bad(") == std::string::npos);
  CHECK(stage.log.text().ends_with("done(1)"));
}

TEST_CASE("what ends the processor leaves the event and all behind it") {
  struct {
    std::string what;
    std::function<void()> fault;
    std::string told;
  } const rows[] = {
      {"disk full", [] { throw base::Error(base::exit_local_io, "full"); }, "fail(74 full)"},
      {"a bug", [] { throw std::runtime_error("what"); }, "fail(70 what)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage stage;
    stage.shared.most_at_once = 1;
    Gate gate;
    stage.start([&](const Event& event) {
      if (event.revision == 1) gate.pass();
      if (event.revision == 3) row.fault();
    });
    stage.offer(1, 1);
    REQUIRE(stage.log.wait_for(1));
    stage.offer(2, 5);
    gate.open();
    stage.end();
    CHECK(stage.log.text() == "batch(1) done(1) batch(1) done(1) batch(1) " + row.told);
    CHECK(stage.left() == "3 4 5 ");
    Event event = event_of(6);
    stage.lane->offer(event, 106, 0);  // a reader that has not noticed yet
    CHECK(stage.left() == "6 ");
  }
}

TEST_CASE("the checkpoint or the dead letter can't be written: told, and nothing is lost") {
  for (const bool in_done : {true, false}) {
    CAPTURE(in_done);
    Stage stage;
    stage.shared.attempts = 1;
    stage.shared.most_at_once = 1;
    const base::Error full(base::exit_local_io, "full");
    if (in_done) {
      stage.shared.done = [&](auto, auto, const std::string&) { throw base::Error(full); };
    } else {
      stage.shared.bad = [&](auto, const Event&, auto&, auto&) { throw base::Error(full); };
    }
    Gate gate;
    stage.start([&](const Event&) {
      gate.pass();
      if (!in_done) bad();
    });
    stage.offer(1, 3);
    gate.open();
    stage.end();
    CHECK(stage.log.text().ends_with("fail(74 full)"));
    // What was done is not handed back, though it is not noted.
    CHECK(stage.left() == (in_done ? "2 3 " : "1 2 3 "));
  }
}

TEST_CASE("a stop leaves what has not begun, in its order") {
  Stage stage;
  Gate gate;
  stage.start([&](const Event& event) {
    if (event.revision == 1) gate.pass();
  });
  stage.offer(1, 1);
  REQUIRE(stage.log.wait_for(1));
  stage.offer(2, 300);
  stage.stop = true;
  gate.open();
  stage.end();
  CHECK(stage.log.text() == "batch(1) done(1)");
  std::string rest;
  for (int i = 2; i <= 300; ++i) rest += std::to_string(i) + " ";
  CHECK(stage.left() == rest);
}

TEST_CASE("a stop ends the wait for another attempt, and counts as no failure") {
  Stage stage;
  stage.shared.first_wait_ms = 30'000;
  const int64_t begun_ms = stage.time.now_ms;
  std::atomic<bool> is_first = true;
  stage.shared.on_first_failure = [&](const Event&, const std::string&) { stage.stop = true; };
  stage.start([&](const Event&) {
    if (is_first.exchange(false)) bad();
  });
  stage.offer(1, 2);
  stage.end();
  CHECK(stage.left() == "1 2 ");
  CHECK(stage.time.now_ms - begun_ms < 1'000);
}

TEST_CASE("a full queue takes no more, and leaves the event as it is") {
  struct {
    size_t data_bytes;
    size_t room;
  } const rows[] = {{0, 1'024}, {size_t{1} << 20U, 4}, {size_t{17} << 20U, 1}};
  for (const auto& row : rows) {
    CAPTURE(row.data_bytes);
    Stage stage;
    Gate gate;
    stage.start([&](const Event&) { gate.pass(); });
    stage.offer(1, 1);
    REQUIRE(stage.log.wait_for(1));
    size_t taken = 0;
    Event event = event_of(2);
    event.data.assign(row.data_bytes, 'x');
    while (stage.lane->offer(event, event.revision + 100, 0)) {
      ++taken;
      event = event_of(2 + taken);
      event.data.assign(row.data_bytes, 'x');
    }
    CHECK(taken == row.room);
    CHECK(event.data.size() == row.data_bytes);
    gate.open();
    CHECK(stage.lane->offer(event, event.revision + 100, kLongMs));
    stage.end();
    CHECK(stage.left().empty());
  }
}

TEST_CASE("an idle lane ends when it is closed, and when it is destroyed") {
  Stage stage;
  stage.start([](const Event&) {});
  stage.end();
  CHECK(stage.log.text().empty());
  Stage other;
  other.start([](const Event&) {});
  other.lane.reset();
}

// As eventstore/pipe does for a program that says more than it was asked.
TEST_CASE("a problem when all is done blames no event and is told once") {
  class Talkative : public eventstore::Processor {
   public:
    void process(const Event&) override {}
    size_t process_all(std::span<const Event> events, std::string& problem) override {
      last_ = events.back().revision;
      if (events.front().revision == 1) problem = "it said more";
      return events.size();
    }
    std::string state() const override { return "after " + std::to_string(last_); }

   private:
    uint64_t last_ = 0;
  };
  Stage stage;
  stage.shared.attempts = 1;
  stage.start(std::make_unique<Talkative>());
  stage.offer(1, 1);
  REQUIRE(stage.log.wait_for(2));
  stage.offer(2, 2);
  stage.end();
  CHECK(stage.log.text() == "done(1) failed(1 it said more) done(1)");
  CHECK(stage.left().empty());
}
