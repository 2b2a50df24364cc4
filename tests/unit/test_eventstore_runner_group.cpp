#include "eventstore_runner_stage.hpp"

using namespace eventstore_runner_stage;
using eventstore_server::event_frame;
using eventstore_server::open_reply;
using eventstore_server::Server;
using eventstore_server::Told;
using Lines = std::vector<std::string>;

namespace {

struct GroupStage : Stage {
  Server server;

  GroupStage() {
    options.checkpoints = nullptr;
    options.join = [this] {
      return std::make_unique<eventstore::Group>(server.nodes, server.options(), "orders", "g", 10);
    };
  }

  // Runs until so many words were said, then stops.
  std::string run_until(size_t words) {
    std::thread stopper([this, words] {
      CHECK(log.wait_for(words));
      stop = true;
    });
    const std::string outcome = run();
    stopper.join();
    return outcome;
  }

  // The answers, one a word: "ack1 nack(2)3".
  std::string answers(size_t call) const {
    std::string text;
    for (const std::string& answer : server.sent.at(call)->answers) {
      const size_t space = answer.find(' ');
      for (const std::string& id : base::split(answer.substr(space + 1), ' ')) {
        text += answer.substr(0, space) + id + " ";
      }
    }
    return text;
  }
};

std::string frames(uint64_t from, uint64_t to) {
  std::string bytes = eventstore_server::confirmation();
  for (uint64_t i = from; i <= to; ++i) bytes += event_frame(Told{i, {}, "T"});
  return bytes;
}

}  // namespace

TEST_CASE("a group's events are acknowledged when they are done, and those of other types too") {
  GroupStage stage;
  stage.server.replies = {
      open_reply(frames(1, 2) + event_frame(Told{3, {}, "Other"}) + event_frame(Told{4, {}, "T"}))};
  CHECK(stage.run_until(3).empty());
  CHECK(stage.log.text() == "1 2 4");
  std::string answers = stage.answers(0);
  for (const char* one : {"ack1 ", "ack2 ", "ack3 ", "ack4 "}) {
    CHECK(answers.find(one) != std::string::npos);
  }
  CHECK(answers.find("nack") == std::string::npos);
  CHECK(stage.server.sent[0]->is_finished);
}

TEST_CASE("an event that a group's consumer can't do is parked, or skipped as the policy says") {
  for (const bool skips : {false, true}) {
    GroupStage stage;
    stage.options.spec.skip_bad_events = skips;
    stage.work = [](const Event& event) {
      if (event.revision == 2) refuse();
    };
    stage.server.replies = {open_reply(frames(1, 3))};
    // 1, <failed>, <parked>, 3
    CHECK(stage.run_until(4).empty());
    CHECK(stage.answers(0).find(skips ? "ack2 " : "nack(1)2 ") != std::string::npos);
    CHECK(stage.answers(0).find("ack3 ") != std::string::npos);
    CHECK(stage.runner->given_up() == 1);
  }
}

TEST_CASE("a stop hands back what is not done, so that another gets it at once") {
  GroupStage stage;
  Gate gate;
  stage.work = [&](const Event& event) {
    if (event.revision != 2) return;
    gate.pass();
  };
  stage.server.replies = {open_reply(frames(1, 6))};
  std::thread stopper([&] {
    CHECK(stage.log.wait_for(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stage.stop = true;
    gate.open();
  });
  CHECK(stage.run().empty());
  stopper.join();
  const std::string answers = stage.answers(0);
  // What had begun together is finished.
  size_t done = stage.log.words().size();
  for (uint64_t i = 1; i <= 6; ++i) {
    const std::string ack = fmt::format("ack{} ", i);
    const std::string back = fmt::format("nack(2){} ", i);
    CAPTURE(i);
    if (i <= done) CHECK(answers.find(" " + ack) + answers.find(ack) != 2 * std::string::npos);
    if (i <= done) CHECK(answers.find(back) == std::string::npos);
    if (i > done) CHECK(answers.find(back) != std::string::npos);
  }
  CHECK(stage.server.sent[0]->is_finished);
}

TEST_CASE("a consumer that fails for good hands back the event too") {
  GroupStage stage;
  stage.work = [](const Event& event) {
    if (event.revision == 2) refuse(base::exit_local_io);
  };
  stage.server.replies = {open_reply(frames(1, 2))};
  CHECK(stage.run() == "74 no");
  CHECK(stage.answers(0).find("nack(2)2 ") != std::string::npos);
}

TEST_CASE("the server is away for good while events are in hand: told, and nothing escapes") {
  GroupStage stage;
  Gate gate;
  stage.work = [&](const Event&) { gate.pass(); };
  stage.server.max_downtime_ms = 0;
  stage.server.replies = {eventstore_server::broken(frames(1, 2))};
  std::thread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    gate.open();
  });
  CHECK(stage.run() == "75 it broke (given up after 0 s)");
  opener.join();
}

TEST_CASE("a group that can't be joined") {
  GroupStage stage;
  stage.options.join = []() -> std::unique_ptr<eventstore::Group> { refuse(base::exit_refused); };
  CHECK(stage.run() == "77 no");
}
