#include <map>

#include "eventstore_runner_stage.hpp"

using namespace eventstore_runner_stage;

namespace {

// A stream whose events are done by this one of the instances.
std::string stream_of(size_t instance, size_t instances) {
  for (int i = 0;; ++i) {
    const std::string name = "s" + std::to_string(i);
    if (std::hash<std::string>()(name) % instances == instance) return name;
  }
}

std::string step(uint64_t revision, const std::string& stream) {
  return fmt::format("{}:T:{}", revision, stream);
}

}  // namespace

TEST_CASE("the checkpoint does not pass an unfinished event, whatever others have done") {
  Stage stage;
  stage.options.spec.instances = 2;
  stage.options.sync_ms = 1;
  const std::string slow = stream_of(0, 2);
  const std::string fast = stream_of(1, 2);
  Gate gate;
  stage.work = [&](const Event& event) {
    if (event.revision == 2) gate.pass();
  };
  stage.steps = {step(1, fast), step(2, slow), "3:Other"};
  for (uint64_t i = 4; i <= 40; ++i) stage.steps.push_back(step(i, fast));
  std::thread watcher([&] {
    CHECK(stage.log.wait_for(39));  // opened, all but the second
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    const std::string saved = stage.saved();
    const std::string place = saved.substr(0, saved.find(' '));
    CHECK((place == "none" || place == "1"));
    gate.open();
  });
  CHECK(stage.run().empty());
  watcher.join();
  CHECK(stage.saved().starts_with("40"));
}

TEST_CASE("events of one key stay in their order, each is done once") {
  Stage stage;
  stage.options.spec.instances = 4;
  std::mutex mutex;
  std::map<std::string, std::vector<uint64_t>> seen;
  stage.work = [&](const Event& event) {
    const std::lock_guard lock(mutex);
    seen[event.stream].push_back(event.revision);
  };
  constexpr uint64_t kEvents = 5'000;
  for (uint64_t i = 1; i <= kEvents; ++i) {
    stage.steps.push_back(step(i, "s" + std::to_string(i * i % 13)));
  }
  CHECK(stage.run().empty());
  size_t all = 0;
  for (const auto& [stream, revisions] : seen) {
    CHECK(std::is_sorted(revisions.begin(), revisions.end()));
    all += revisions.size();
  }
  CHECK(all == kEvents);
  CHECK(stage.runner->done() == kEvents);
  CHECK(stage.saved().starts_with("5000"));
}

TEST_CASE("one instance fails while the reader waits for another's room: it ends with the reason") {
  Stage stage;
  stage.options.spec.instances = 2;
  const std::string failing = stream_of(0, 2);
  const std::string slow = stream_of(1, 2);
  Gate gate;
  stage.work = [&](const Event& event) {
    if (event.stream == slow) gate.pass();
    if (event.stream == failing) {
      while (stage.given < 1'026) std::this_thread::yield();
      refuse(base::exit_local_io);
    }
  };
  stage.steps = {step(1, slow), step(2, failing)};
  for (uint64_t i = 3; i <= 5'000; ++i) stage.steps.push_back(step(i, slow));
  std::thread opener([&] {
    while (stage.given < 1'026) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    gate.open();
  });
  CHECK(stage.run() == "74 no");
  opener.join();
  // Only what stands before the failed event.
  const std::string saved = stage.saved();
  const std::string place = saved.substr(0, saved.find(' '));
  CHECK((place == "none" || place == "1"));
}

TEST_CASE("one event that takes for ever does not fill memory with those behind it") {
  Stage stage;
  stage.options.spec.instances = 2;
  const std::string slow = stream_of(0, 2);
  const std::string fast = stream_of(1, 2);
  stage.steps = {step(1, slow)};
  for (uint64_t i = 2; i <= 70'000; ++i) stage.steps.push_back(step(i, fast));
  std::atomic<uint64_t> done = 0;
  Gate gate;
  stage.options.spec.make = [&](const eventstore::Surroundings&) {
    return std::make_unique<Worker>([&](const Event& event) {
      if (event.revision == 1) gate.pass();
      ++done;
    });
  };
  std::thread opener([&] {
    while (done < 65'535) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK(stage.given <= 65'537);
    gate.open();
  });
  CHECK(stage.run().empty());
  opener.join();
  CHECK(done == 70'000);
  CHECK(stage.saved().starts_with("70000"));
}
