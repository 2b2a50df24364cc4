#include "commands/es_tail.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"
#include "commands/es_check.hpp"
#include "commands/es_checkpoints.hpp"
#include "commands/es_options.hpp"
#include "commands/es_process.hpp"
#include "commands/es_progress.hpp"
#include "commands/es_replay.hpp"
#include "commands/es_sink.hpp"
#include "commands/es_source.hpp"
#include "commands/report.hpp"

namespace commands {

namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr int64_t kSameForMs = 1'000;
constexpr uint64_t kLooksAtOnce = 256;

// Several processors on one connection have the same to say when it is lost.
class Notices {
 public:
  void tell(const std::string& text) {
    const std::lock_guard lock(mutex_);
    const int64_t now_ms = base::real_clock().monotonic_ms();
    const bool is_again = text == text_ && now_ms - told_ms_ < kSameForMs;
    if (!is_again) report_progress(kEsTail, text);
    text_ = text;
    told_ms_ = now_ms;
  }

 private:
  std::mutex mutex_;
  std::string text_;
  int64_t told_ms_ = 0;
};

OnNotice notices(const Options& options) {
  if (options.toggle("quiet")) return [](const std::string&) {};
  return [told = std::make_shared<Notices>()](const std::string& text) { told->tell(text); };
}

// Hands on each event that is wanted until `count`, the end or a stop.
class Tail {
 public:
  Tail(const Options& options, const EsSource& from)
      : clock_(base::real_clock()),
        from_(from),
        sink_(options, clock_),
        is_quiet_(options.toggle("quiet")),
        is_group_(options.is_on("group")),
        is_forwards_(options.choice("direction") != "backwards"),
        is_followed_(is_forwards_ && !options.toggle("exit")),
        is_finite_(!is_followed_ || options.is_on("count")) {}

  // 130 when a stop came before the end of what was asked for.
  int run() {
    try {
      open();
      read();
    } catch (const base::Error& error) {
      const bool is_stop = error.code() == base::exit_interrupted && base::stop_asked();
      if (!is_stop) {
        finish();
        throw;
      }
    }
    finish();
    if (is_whole_ || !is_finite_) return base::exit_ok;
    report_progress(kEsTail, fmt::format("stopped before the end, after {} events", events_));
    return base::exit_interrupted;
  }

 private:
  void open() {
    if (is_group_) {
      group_ = from_.join().release();
      source_.reset(group_);
      return;
    }
    const eventstore::Place first = from_.first_place();
    if (is_forwards_ && !is_quiet_ && !from_.is_file()) {
      progress_.emplace(clock_, from_.target().is_all(), is_followed_, first, from_.last_place());
    }
    source_ = from_.open(first);
  }

  void read() {
    eventstore::Event event;
    while (!base::stop_asked() && events_ < from_.count()) {
      const eventstore::Came came = source_->next(event, sink_.is_empty() ? kLookEveryMs : 0);
      if (came == eventstore::Came::event) take(event);
      const bool is_pause = came != eventstore::Came::event;
      if (is_pause || sink_.is_full() || is_time()) flush();
      if (came == eventstore::Came::caught_up && progress_ && is_followed_)
        progress_->live(events_);
      if (came == eventstore::Came::end) {
        is_whole_ = true;
        return;
      }
    }
    is_whole_ = events_ >= from_.count();
  }

  // Nobody waits for long for what has come, also while nothing more is wanted of what comes.
  bool is_time() {
    if (++looks_ % kLooksAtOnce != 0) return false;
    return clock_.monotonic_ms() - flushed_ms_ >= kLookEveryMs;
  }

  void take(const eventstore::Event& event) {
    if (is_group_) unanswered_.push_back(event.original_id());
    if (!from_.takes(event)) return;
    sink_.add(event);
    ++events_;
  }

  void flush() {
    if (!sink_.is_empty() && progress_) progress_->end();
    sink_.flush();
    flushed_ms_ = clock_.monotonic_ms();
    if (!base::stop_asked()) answer();  // else it may not be written
    if (progress_) progress_->look(events_, source_->place());
  }

  void finish() {
    flush();
    if (progress_) progress_->end();
    sink_.end();
    answer();
    if (group_ != nullptr) group_->leave();
  }

  void answer() {
    for (const std::string& id : unanswered_) group_->ack(id);
    unanswered_.clear();
  }

  base::Clock clock_;
  const EsSource& from_;
  EsSink sink_;
  bool is_quiet_;
  bool is_group_;
  bool is_forwards_;
  bool is_followed_;
  bool is_finite_;
  bool is_whole_ = false;
  uint64_t events_ = 0;
  uint64_t looks_ = 0;
  int64_t flushed_ms_ = 0;
  std::unique_ptr<eventstore::Source> source_;
  eventstore::Group* group_ = nullptr;   // the same, when it is one
  std::vector<std::string> unanswered_;  // of the group's events, printed or not wanted
  std::optional<EsProgress> progress_;
};

// "es-tail replay" waits for the events of a stream called replay, and looks as if it replayed.
void tell_of_words(const Options& options) {
  const std::vector<std::string> words = options.values("stream");
  if (words.size() != 1) return;
  const char* meant = nullptr;
  if (words[0] == "replay") meant = "dead letters are run again by: replay FILE --processors FILE";
  if (words[0] == "checkpoints") meant = "places are shown by: checkpoints list --checkpoints FILE";
  if (meant == nullptr) return;
  report_notice(options.env(), kEsTail,
                fmt::format("{} alone is taken for a stream's name; {}", words[0], meant));
}

int run(const Options& options) {
  const EsJob job = read_es_job(options);
  tell_of_words(options);
  const std::string url = options.text("url");
  if (url.find('@') != std::string::npos) report_secret(options.env(), url);
  if (options.toggle("check")) return check_es_tail(options, job);
  switch (job) {
    case EsJob::list:
      return list_checkpoints(options);
    case EsJob::set:
      return set_checkpoint(options);
    case EsJob::reset:
      return reset_checkpoint(options);
    case EsJob::replay:
      return replay_dead_letters(options, notices(options));
    case EsJob::process:
      return run_processors(options, notices(options));
    case EsJob::tail:
      break;
  }
  base::stop_on_signals();
  const EsSource source(options, notices(options));
  return Tail(options, source).run();
}

}  // namespace

Run add_es_tail(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, es_options(), env);
  set_help(app, es_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
