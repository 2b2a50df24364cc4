// Runs one processor over one source: hands it the events of its types, tries again after its
// policy, and keeps its checkpoint.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "eventstore/group.hpp"
#include "eventstore/lane.hpp"
#include "eventstore/processor_file.hpp"
#include "eventstore/source.hpp"
#include "eventstore/tracker.hpp"
#include "store/checkpoints.hpp"

namespace eventstore {

struct RunnerOptions {
  ProcessorSpec spec;
  base::Clock clock;
  std::function<Surroundings()> around;       // for each instance, as they run at the same time
  std::string source_name;                    // as in store::Checkpoint
  store::Checkpoints* checkpoints = nullptr;  // none: nothing is kept
  int64_t sync_ms = 500;                      // between two checkpoints; 0: one for every event
  std::function<bool(const Event&)> takes;    // beside the processor's types
  // Where to begin without a checkpoint.
  std::function<Place()> fresh;
  std::function<std::unique_ptr<Source>(const Place&)> open;
  // Where the source ends by now, to be compared with a checkpoint; empty when that can't be known.
  std::function<Place()> last;
  // Instead of these two: a group, in which the server keeps the place.
  std::function<std::unique_ptr<Group>()> join;
  // Ends the runner: nothing new is begun, what has begun is finished.
  std::function<bool()> stop;
  std::function<void(const std::string& text)> on_notice;
  std::function<void(const std::string& text)> on_loss;  // of an event that is given up
};

class Runner {
 public:
  explicit Runner(RunnerOptions options);

  // Until the source ends or a stop: nothing. Why the processor stopped for good: 1 for an event
  // that it can't do, 74 for a checkpoint or dead letter that can't be written, else what the
  // source throws. The checkpoint is never behind an event that is not finished.
  std::optional<base::Error> run();

  // Events that the processor did, and how far there is nothing left to do.
  uint64_t done() const { return done_; }
  uint64_t given_up() const { return given_up_; }
  Place place() const { return tracker_ ? tracker_->safe().place : Place(); }

 private:
  void read();
  std::string begin();
  bool wants(const Event& event) const;
  void give(Event& event);
  void look_around(int64_t wait_ms);
  void save();
  void give_up(const Event& event, const std::string& problem);
  void hand_back();
  void lose(const std::string& text) const;
  void tell(const std::string& text) const;
  void guarded(const std::function<void()>& work);
  Came next(Event& event);
  void remember(const base::Error& error);
  void fail(const base::Error& error);

  RunnerOptions options_;
  LaneShared shared_;
  std::unique_ptr<Tracker> tracker_;
  std::unique_ptr<Source> source_;
  Group* group_ = nullptr;        // the same, when it is one
  std::optional<Event> unbegun_;  // the one in hand at a stop
  std::atomic<uint64_t> done_ = 0;
  std::atomic<uint64_t> given_up_ = 0;  // after all attempts, and passed over
  std::mutex save_mutex_;
  uint64_t saved_moves_ = 0;
  int64_t saved_ms_ = 0;
  std::mutex failure_mutex_;
  std::optional<base::Error> failure_;
  std::atomic<bool> has_failed_ = false;
  std::vector<std::unique_ptr<Lane>> lanes_;  // last: their threads use the rest
};

}  // namespace eventstore
