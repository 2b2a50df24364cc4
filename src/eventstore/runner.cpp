#include "eventstore/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "eventstore/data.hpp"
#include "eventstore/dead_letters.hpp"
#include "eventstore/seek.hpp"

namespace eventstore {

namespace {

constexpr int64_t kLookEveryMs = 50;
constexpr int64_t kAnswerEveryMs = 2;  // to the server of a group
constexpr uint64_t kLookEveryEvents = 256;
constexpr int64_t kPassedSyncMs = 500;  // for what is only passed over
constexpr size_t kMostUnfinished = 65'536;

}  // namespace

Runner::Runner(RunnerOptions options) : options_(std::move(options)) {
  shared_.attempts = options_.spec.attempts;
  shared_.first_wait_ms = options_.spec.first_wait_ms;
  const bool saves_each = options_.checkpoints != nullptr && options_.sync_ms == 0;
  if (saves_each) shared_.most_at_once = 1;
  shared_.clock = options_.clock;
  shared_.stop = [this] { return options_.stop() || has_failed_; };
  shared_.done = [this, saves_each](std::span<const uint64_t> tickets,
                                    std::span<const Event> events, const std::string& state) {
    tracker_->finish(tickets, state);
    done_ += events.size();
    if (group_ != nullptr) {
      for (const Event& event : events) group_->ack(event.original_id());
    }
    if (saves_each) save();
  };
  shared_.bad = [this, saves_each](uint64_t ticket, const Event& event, const std::string& problem,
                                   const std::string& state) {
    give_up(event, problem);
    ++given_up_;
    tracker_->finish({&ticket, 1}, state);
    if (saves_each) save();
  };
  shared_.on_first_failure = [this](const Event& event, const std::string& problem) {
    tell(fmt::format("{} failed: {}", name_of(event), problem));
  };
  shared_.fail = [this](const base::Error& error) { fail(error); };
}

std::optional<base::Error> Runner::run() {
  guarded([this] { read(); });
  for (const auto& lane : lanes_) lane->close();
  for (const auto& lane : lanes_) {
    while (!lane->has_ended()) guarded([this] { look_around(kLookEveryMs); });
  }
  if (group_ != nullptr) guarded([this] { hand_back(); });
  guarded([this] { save(); });
  lanes_.clear();
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

void Runner::read() {
  const std::string state = begin();
  for (size_t i = 0; i < options_.spec.instances; ++i) {
    std::unique_ptr<Processor> processor = options_.spec.make(options_.around());
    if (!state.empty()) processor->restore(state);
    lanes_.push_back(std::make_unique<Lane>(shared_, std::move(processor)));
  }
  Event event;
  uint64_t came_events = 0;
  bool is_live = false;
  while (!shared_.stop()) {
    const Came came = next(event);
    switch (came) {
      case Came::event:
        give(event);
        break;
      case Came::advanced:
      case Came::caught_up:
        tracker_->pass(source_->place());
        if (came == Came::caught_up && !is_live) tell("live: all there was has come");
        is_live = is_live || came == Came::caught_up;
        break;
      case Came::nothing:
        break;
      case Came::end:
        return;
    }
    if (came != Came::event || ++came_events % kLookEveryEvents == 0) look_around(0);
  }
}

// A source that breaks is one that ends: what came before is done all the same. Not so in a group,
// whose server hands out again what it can't be told of any more.
Came Runner::next(Event& event) {
  if (group_ != nullptr) {
    return source_->next(event, tracker_->unfinished() > 0 ? kAnswerEveryMs : kLookEveryMs);
  }
  try {
    return source_->next(event, kLookEveryMs);
  } catch (const base::Error& error) {
    remember(error);
    return Came::end;
  }
}

// Opens the source where the checkpoint says; returns the running value.
std::string Runner::begin() {
  saved_ms_ = options_.clock.monotonic_ms();
  if (options_.join) {
    std::unique_ptr<Group> group = options_.join();
    group_ = group.get();
    source_ = std::move(group);
    tracker_ = std::make_unique<Tracker>(source_->place(), "");
    return "";
  }
  std::optional<store::Checkpoint> found;
  if (options_.checkpoints != nullptr) {
    found = options_.checkpoints->find(options_.spec.name, options_.source_name);
  }
  Place from;
  if (found) {
    from = {Place::Kind::after, found->revision, {found->commit, found->prepare}};
    const Place last = options_.last ? options_.last() : Place();
    const std::string surprise = ahead_of_end(found->revision, last);
    if (!surprise.empty()) tell(surprise);
  } else {
    from = options_.fresh();
  }
  tracker_ = std::make_unique<Tracker>(from, found ? found->state : "");
  if (!found) {
    tracker_->pass(from);  // a restart begins here too, wherever the end is by then
    save();
  }
  source_ = options_.open(from);
  return found ? found->state : "";
}

bool Runner::wants(const Event& event) const {
  const std::vector<std::string>& types = options_.spec.types;
  const bool is_of_type =
      types.empty() || std::find(types.begin(), types.end(), event.type) != types.end();
  return is_of_type && options_.takes(event);
}

void Runner::give(Event& event) {
  const Place place = source_->place();
  if (!wants(event)) {
    tracker_->pass(place);
    if (group_ != nullptr) group_->ack(event.original_id());
    return;
  }
  while (tracker_->unfinished() >= kMostUnfinished && !shared_.stop()) look_around(kLookEveryMs);
  size_t number = 0;
  if (lanes_.size() > 1) {
    number = std::hash<std::string>()(key_of(event, options_.spec.key)) % lanes_.size();
  }
  const uint64_t ticket = tracker_->begin(place);
  while (!lanes_[number]->offer(event, ticket, kLookEveryMs)) {
    if (shared_.stop()) {
      unbegun_ = std::move(event);
      return;
    }
    look_around(0);
  }
}

// What is done now and then, while there is nothing better to do for wait_ms.
void Runner::look_around(int64_t wait_ms) {
  if (wait_ms > 0) options_.clock.sleep_ms(wait_ms);
  if (group_ != nullptr) group_->flush();
  const int64_t sync_ms = options_.sync_ms == 0 ? kPassedSyncMs : options_.sync_ms;
  if (options_.clock.monotonic_ms() - saved_ms_ < sync_ms) return;
  saved_ms_ = options_.clock.monotonic_ms();
  save();
}

void Runner::save() {
  if (options_.checkpoints == nullptr || tracker_ == nullptr) return;
  const std::lock_guard lock(save_mutex_);
  const Tracker::Safe safe = tracker_->safe();
  if (safe.moves == saved_moves_ || safe.place.kind != Place::Kind::after) return;
  store::Checkpoint checkpoint;
  checkpoint.processor = options_.spec.name;
  checkpoint.source = options_.source_name;
  checkpoint.revision = safe.place.revision;
  const bool has_position = safe.place.position.commit != kNoPosition;
  checkpoint.commit = has_position ? safe.place.position.commit : 0;
  checkpoint.prepare = has_position ? safe.place.position.prepare : 0;
  checkpoint.state = safe.state;
  checkpoint.saved_unix_s = options_.clock.unix_s();
  options_.checkpoints->save(checkpoint);
  saved_moves_ = safe.moves;
}

// An event whose attempts are spent goes where the policy says; or the processor stops.
void Runner::give_up(const Event& event, const std::string& problem) {
  const ProcessorSpec& spec = options_.spec;
  if (!spec.dead_letter.empty()) {
    append_dead_letters(spec.dead_letter,
                        dead_letter(event, spec.name, problem, options_.clock.unix_s()));
    lose(fmt::format("{} was put into {}", name_of(event), spec.dead_letter));
  }
  const bool goes_on = spec.skip_bad_events || !spec.dead_letter.empty();
  if (group_ != nullptr) {
    if (goes_on) {
      group_->ack(event.original_id());
    } else {
      group_->nack(event.original_id(), Nack::park, problem);
    }
    lose(fmt::format("{} was {}", name_of(event), goes_on ? "skipped" : "parked"));
    return;
  }
  if (!goes_on) {
    throw base::Error(
        base::exit_answer_no,
        fmt::format("{} stopped at {}: {}; to go on without such events give it dead_letter or "
                    "skip_bad_events",
                    spec.name, name_of(event), problem));
  }
  if (spec.dead_letter.empty()) lose(fmt::format("{} was skipped: {}", name_of(event), problem));
}

// So that another consumer of the group gets at once what this one has not finished.
void Runner::hand_back() {
  std::vector<Event> left;
  if (unbegun_) left.push_back(std::move(*unbegun_));
  for (const auto& lane : lanes_) {
    for (Event& event : lane->left()) left.push_back(std::move(event));
  }
  for (const Event& event : left)
    group_->nack(event.original_id(), Nack::retry, "the consumer stops");
  group_->leave();
}

void Runner::lose(const std::string& text) const {
  options_.on_loss(fmt::format("{}: {}", options_.spec.name, text));
}

void Runner::tell(const std::string& text) const {
  options_.on_notice(fmt::format("{}: {}", options_.spec.name, text));
}

void Runner::guarded(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    fail(error);
  } catch (const std::exception& error) {
    fail({base::exit_our_bug, error.what()});
  }
}

// What a stop cut off comes again with the next start.
void Runner::remember(const base::Error& error) {
  if (error.code() == base::exit_interrupted && options_.stop()) return;
  const std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = error;
}

void Runner::fail(const base::Error& error) {
  remember(error);
  has_failed_ = true;
}

}  // namespace eventstore
