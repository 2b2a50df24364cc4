#include "eventstore_runner_stage.hpp"

using namespace eventstore_runner_stage;

TEST_CASE("without a checkpoint it begins where it is told, with one behind it") {
  Stage stage;
  stage.options.fresh = [] { return after(4); };
  stage.run_steps({"5", "6"});
  CHECK(stage.log.text() == "opened(4) 5 6 run:");
  CHECK(stage.saved() == "6 after 6");
  CHECK(text_of(stage.runner->place()) == "6");
  CHECK(stage.runner->done() == 2);
  Stage again;
  store::Checkpoint checkpoint;
  checkpoint.processor = "p";
  checkpoint.source = "orders";
  checkpoint.revision = UINT64_C(9'000'000'000'000);
  checkpoint.state = "after 3";
  again.checkpoints.save(checkpoint);
  again.options.fresh = []() -> Place { throw std::logic_error("not to be asked"); };
  again.run_steps({});
  CHECK(again.log.text() == "opened(9000000000000) run:");
  CHECK(again.saved() == "9000000000000 after 3");
}

TEST_CASE("the place where it begins is kept at once, so that a restart begins there too") {
  Stage stage;
  stage.options.fresh = [] { return after(41); };
  stage.options.open = [&](const Place&) -> std::unique_ptr<eventstore::Source> {
    CHECK(stage.saved() == "41");
    refuse(base::exit_unavailable);
  };
  CHECK(stage.run() == "69 no");
  CHECK(stage.saved() == "41");
}

TEST_CASE("what is not for it, and what the server passed over, moves the checkpoint") {
  struct {
    std::vector<std::string> steps;
    std::string saved;
  } const rows[] = {
      {{}, "none"},
      {{"1:Other", "2:Other"}, "2"},
      {{"1", "2:Other"}, "2 after 1"},
      {{"1:Other", "2"}, "2 after 2"},
      {{"advanced 70"}, "70"},
      {{"1", "caught up 80"}, "80 after 1"},
      {{"1", "caught up 80", "81:Other", "caught up 81"}, "81 after 1"},
  };
  for (const auto& row : rows) {
    Stage stage;
    stage.steps = row.steps;
    CHECK(stage.run().empty());
    CHECK(stage.saved() == row.saved);
  }
}

// Tells when it has broken.
class Breaking : public Script {
 public:
  Breaking(const std::vector<std::string>& steps, std::atomic<size_t>& given,
           std::atomic<bool>& is_broken)
      : Script(steps, true, given), is_broken_(is_broken) {}
  eventstore::Came next(Event& event, int64_t wait_ms) override {
    try {
      return Script::next(event, wait_ms);
    } catch (...) {
      is_broken_ = true;
      throw;
    }
  }

 private:
  std::atomic<bool>& is_broken_;
};

TEST_CASE("a source that fails, or a beginning that does") {
  struct {
    std::string what;
    std::function<void(Stage&)> arrange;
    std::string outcome;
  } const rows[] = {
      {"the source",
       [](Stage& stage) {
         stage.steps = {"1", "66 gone"};
       },
       "66 gone"},
      {"where to begin",
       [](Stage& stage) { stage.options.fresh = []() -> Place { refuse(base::exit_refused); }; },
       "77 no"},
      {"a processor that can't be made",
       [](Stage& stage) {
         stage.options.spec.make =
             [](const eventstore::Surroundings&) -> std::unique_ptr<eventstore::Processor> {
           refuse(base::exit_configuration);
         };
       },
       "78 no"},
      {"a bug",
       [](Stage& stage) { stage.options.fresh = []() -> Place { throw std::runtime_error("x"); }; },
       "70 x"},
      {"a stop while connecting",
       [](Stage& stage) {
         stage.options.fresh = [&stage]() -> Place {
           stage.stop = true;
           refuse(base::exit_interrupted);
         };
       },
       ""},
      {"a stop while reading",
       [](Stage& stage) {
         stage.steps = {"130 stopped"};
         stage.options.takes = [](const Event&) { return true; };
         stage.options.open = [&stage](const Place&) {
           stage.stop = true;
           return std::make_unique<Script>(stage.steps, true, stage.given);
         };
       },
       ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage stage;
    row.arrange(stage);
    CHECK(stage.run() == row.outcome);
  }
}

TEST_CASE("what came before the source broke is done all the same") {
  Stage stage;
  stage.steps = {"1:T", "2:T", "3:T", "66 gone"};
  std::atomic<bool> is_broken = false;
  stage.work = [&](const Event&) {
    while (!is_broken) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  stage.options.open = [&](const Place&) {
    return std::make_unique<Breaking>(stage.steps, stage.given, is_broken);
  };
  CHECK(stage.run() == "66 gone");
  CHECK(stage.saved() == "3 after 3");
}

TEST_CASE("the second instance can't be made: the first one's thread is ended") {
  Stage stage;
  stage.options.spec.instances = 2;
  int made = 0;
  const auto make = stage.options.spec.make;
  stage.options.spec.make = [&](const eventstore::Surroundings& around) {
    if (++made == 2) refuse(base::exit_configuration);
    return make(around);
  };
  stage.steps = {"1"};
  CHECK(stage.run() == "78 no");
  CHECK(stage.saved() == "none");
}

TEST_CASE("an event that it can't do stops it in front of it, or not, as its policy says") {
  struct {
    bool skips;
    bool letters;
    std::string outcome;
    std::string saved;
    uint64_t given_up;
  } const rows[] = {
      {false, false,
       "1 p stopped at event 2 of orders: no; to go on without such events give it dead_letter or "
       "skip_bad_events",
       "1 after 1", 0},
      {true, false, "", "3 after 3", 1},
      {false, true, "", "3 after 3", 1},
      {true, true, "", "3 after 3", 1},
  };
  for (const auto& row : rows) {
    Stage stage;
    const std::string letters = stage.folder.path + "/bad.jsonl";
    stage.options.spec.skip_bad_events = row.skips;
    if (row.letters) stage.options.spec.dead_letter = letters;
    stage.work = [](const Event& event) {
      if (event.revision == 2) refuse();
    };
    stage.steps = {"1", "2", "3"};
    CHECK(stage.run() == row.outcome);
    CHECK(stage.saved() == row.saved);
    CHECK(stage.runner->given_up() == row.given_up);
    CHECK(std::filesystem::exists(letters) == row.letters);
  }
}

TEST_CASE("a dead letter that can't be written stops it in front of the event") {
  Stage stage;
  stage.options.spec.dead_letter = stage.folder.path + "/no/such/bad.jsonl";
  stage.work = [](const Event& event) {
    if (event.revision == 2) refuse();
  };
  stage.steps = {"1", "2", "3"};
  CHECK(stage.run().starts_with("74 can't use the dead letters in "));
  CHECK(stage.saved() == "1 after 1");
}

TEST_CASE("with a sync interval of 0 each event's place is kept before the next one begins") {
  Stage stage;
  stage.options.sync_ms = 0;
  stage.work = [&](const Event& event) {
    const std::string before = std::to_string(event.revision - 1);
    if (event.revision > 1) CHECK(stage.saved() == before + " after " + before);
  };
  for (int i = 1; i <= 50; ++i) stage.steps.push_back(std::to_string(i));
  CHECK(stage.run().empty());
  CHECK(stage.saved() == "50 after 50");
}

TEST_CASE("a checkpoint that can't be written stops it with the reason") {
  SUBCASE("after each event: the next one is not begun") {
    Stage stage;
    stage.options.sync_ms = 0;
    stage.work = [&](const Event& event) {
      if (event.revision == 2) stage.break_checkpoints();
    };
    stage.steps = {"1", "2", "3", "4"};
    CHECK(stage.run().starts_with("74 "));
    CHECK(stage.log.text() == "opened(start) 1 2");
  }
  SUBCASE("at the end") {
    Stage stage;
    stage.work = [&](const Event& event) {
      if (event.revision == 2) stage.break_checkpoints();
    };
    stage.steps = {"1", "2"};
    CHECK(stage.run().starts_with("74 "));
  }
  SUBCASE("while the last events are waited for") {
    Stage stage;
    Gate gate;
    stage.work = [&](const Event& event) {
      if (event.revision == 3) gate.pass();
    };
    stage.options.sync_ms = 1;
    stage.steps = {"1", "2", "3"};
    std::thread opener([&] {
      stage.log.wait_for(3);  // opened, 1, 2
      stage.break_checkpoints();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      gate.open();
    });
    CHECK(stage.run().starts_with("74 "));
    opener.join();
  }
}

TEST_CASE("a stop finishes what has begun and keeps its place") {
  Stage stage;
  stage.ends = false;
  stage.work = [&](const Event& event) {
    if (event.revision == 3) stage.stop = true;
  };
  for (int i = 1; i <= 2'000; ++i) stage.steps.push_back(std::to_string(i));
  CHECK(stage.run().empty());
  CHECK(stage.saved() == fmt::format("{0} after {0}", stage.log.words().size() - 1));
}

TEST_CASE("without checkpoints nothing is kept, and it runs all the same") {
  Stage stage;
  stage.options.checkpoints = nullptr;
  stage.options.sync_ms = 0;
  stage.run_steps({"1", "2"});
  CHECK(stage.log.text() == "opened(start) 1 2 run:");
  CHECK(stage.saved() == "none");
}
