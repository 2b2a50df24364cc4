#include "commands/slack_stream.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "base/input.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/outlet.hpp"
#include "commands/report.hpp"
#include "commands/sending.hpp"
#include "commands/slack_compose.hpp"
#include "commands/slack_places.hpp"
#include "commands/slack_post.hpp"
#include "json/write.hpp"
#include "slack/stream.hpp"

namespace commands {

namespace {

constexpr size_t kMostBytesAfterStop = 65'536;  // what a pipe holds

// The time that is left once nothing more is read. Every wait of the stream goes through here.
class Drain {
 public:
  Drain(base::Clock clock, int64_t timeout_ms)
      : clock_(std::move(clock)), timeout_ms_(timeout_ms) {}

  void begin() {
    if (deadline_ms_ < 0) deadline_ms_ = clock_.monotonic_ms() + timeout_ms_;
  }

  // Throws 75 when it is over. To be called now and then by whatever takes long.
  void check() {
    if (base::stop_asked()) begin();
    if (deadline_ms_ < 0 || clock_.monotonic_ms() < deadline_ms_) return;
    throw base::Error(
        base::exit_retries_spent,
        fmt::format("not all could be posted within --drain-timeout ({} ms)", timeout_ms_));
  }

  // 0 when it is over; all of it before it begins.
  int64_t left_ms() const {
    return deadline_ms_ < 0 ? timeout_ms_
                            : std::max<int64_t>(deadline_ms_ - clock_.monotonic_ms(), 0);
  }

  // Sleeps, but wakes up when a stop is asked for, and throws when the time is over.
  void sleep(int64_t ms) {
    const int64_t end_ms = clock_.monotonic_ms() + ms;
    for (int64_t now_ms = end_ms - ms; now_ms < end_ms; now_ms = clock_.monotonic_ms()) {
      check();
      const int64_t until_ms = deadline_ms_ < 0 ? end_ms : std::min(end_ms, deadline_ms_);
      const int wait_ms = static_cast<int>(std::max<int64_t>(until_ms - now_ms, 1));
      pollfd stop = {base::stop_asked() ? -1 : base::stop_descriptor(), POLLIN, 0};
      ::poll(&stop, 1, wait_ms);
    }
  }

 private:
  base::Clock clock_;
  int64_t timeout_ms_;
  int64_t deadline_ms_ = -1;
};

// Lets every wait and every request of the line end with the drain's time.
void bind(slack::Line& line, const std::shared_ptr<Drain>& drain) {
  line.repeat_when_unsure = true;
  line.clock.sleep_ms = [drain](int64_t ms) { drain->sleep(ms); };
  line.http = [http = line.http, drain](net::HttpRequest request) {
    request.on_progress = [drain](int64_t /*sent_bytes*/) { drain->check(); };
    return http(request);
  };
}

slack::Feed stdin_feed(const std::shared_ptr<Outlet>& tee) {
  auto after_stop = std::make_shared<size_t>(0);
  return [tee, after_stop](std::string& to, size_t most, int64_t wait_ms) {
    const bool has_enough = *after_stop >= kMostBytesAfterStop;
    const size_t before = to.size();
    const base::Came came = has_enough ? base::Came::stop : base::read_some(to, most, wait_ms);
    if (base::stop_asked()) *after_stop += to.size() - before;
    if (tee) tee->take(std::string_view(to).substr(before));
    return came;
  };
}

// The channels that get the stream. One that fails is told at once and left out from then on.
class Channels {
 public:
  Channels(const PostSettings& settings, const base::Env& env, std::shared_ptr<Drain> drain)
      : settings_(settings), env_(env), drain_(std::move(drain)) {
    for (const Place& place : places_of(settings)) {
      sendings_.push_back(sending_to(place, settings));
      sendings_.back().calls = {stream_call(settings, place.channel, "")};
    }
    if (!settings.dry_run) resolve_places(sendings_, settings);
    for (const Sending& sending : sendings_) {
      if (sending.error) tell_failure(sending, 0);
    }
  }

  // Posts to each that still takes messages; `lines` were posted before. Throws when there is none
  // left, or no time.
  void post(const std::string& text, int64_t lines) {
    bool any = false;
    for (Sending& sending : sendings_) {
      if (!sending.error) post_to(sending, text);
      if (!sending.error) any = true;
      const bool is_told = failed_at_.contains(sending.place);
      if (sending.error && !is_told) tell_failure(sending, lines);
    }
    if (!any) throw base::Error(sendings_.front().error->code(), "no channel takes the stream");
  }

  void show(const std::string& text) {
    for (Sending& sending : sendings_) {
      sending.calls = {stream_call(settings_, sending.place, text)};
    }
    print_sendings(sendings_, true, settings_.as_json, env_);
  }

  // What those that failed did not get of what others got.
  void tell_missing(int64_t lines) const {
    for (const auto& [place, lines_before] : failed_at_) {
      report_progress(kSlackPost, fmt::format("{}: {} lines were read and not delivered", place,
                                              lines - lines_before));
    }
  }

  // Lines did not get to any of them.
  void fail_all(const base::Error& error) {
    for (Sending& sending : sendings_) {
      if (!sending.error) sending.error = error;
    }
  }

  const std::vector<Sending>& sendings() const { return sendings_; }

 private:
  void post_to(Sending& sending, const std::string& text) {
    const json::Value resolved(sending.calls.front().arguments);
    const slack::Call call = stream_call(settings_, json::string_at(resolved, "channel"), text);
    try {
      slack::Line line = settings_.line;
      line.has_worked = !sending.receipts.empty();
      slack::Receipt receipt = slack::send(settings_.delivery.sender, call, line);
      sending.response = receipt.response;
      if (sending.receipts.empty()) sending.receipts.push_back(std::move(receipt));
    } catch (const base::Error& error) {
      drain_->check();  // throws when the time is why
      sending.error = base::Error(error.code(), fmt::format("{}: {}", sending.place, error.what()));
    }
  }

  void tell_failure(const Sending& sending, int64_t lines) {
    failed_at_[sending.place] = lines;
    report_error(env_, kSlackPost, *sending.error);
  }

  const PostSettings& settings_;
  const base::Env& env_;
  std::shared_ptr<Drain> drain_;
  std::vector<Sending> sendings_;
  std::map<std::string, int64_t> failed_at_;  // place -> lines that it had got
};

json::Value counts_json(const slack::StreamResult& result) {
  return json::Object{
      {"lines", result.lines}, {"messages", result.messages}, {"undelivered", result.undelivered}};
}

// A dry run has shown all there is to tell.
void tell(const slack::StreamResult& result, const Options& options, const PostSettings& settings) {
  if (settings.dry_run) return;
  const std::string text =
      fmt::format("posted {} lines in {} messages", result.lines, result.messages);
  if (options.toggle("tee")) {
    report_progress(kSlackPost, text);  // stdout belongs to the stream
  } else if (settings.as_json) {
    print_json(options.env(), json::write(counts_json(result)) + "\n");
  } else {
    print_text(options.env(), text + "\n");
  }
}

}  // namespace

int run_stream(const Options& options, PostSettings settings) {
  const base::Env& env = options.env();
  const auto drain =
      std::make_shared<Drain>(settings.line.clock, options.duration_ms("drain-timeout", 0));
  base::stop_on_signals();
  bind(settings.line, drain);
  Channels channels(settings, env, drain);
  const auto tee = options.toggle("tee") ? std::make_shared<Outlet>(env, STDOUT_FILENO) : nullptr;
  slack::StreamOptions stream;
  stream.interval_ms = options.duration_ms("interval", 0);
  stream.encode = [&](const std::string& lines) { return encoded_text(lines, settings.trust); };
  stream.markup = markup_of(settings.trust);
  stream.on_end = [&] { drain->begin(); };
  stream.post = [&](const std::string& text, int64_t lines) {
    settings.dry_run ? channels.show(text) : channels.post(text, lines);
  };
  slack::StreamResult result = slack::stream(stdin_feed(tee), settings.line.clock, stream);
  try {
    if (tee) tee->end(settings.line.clock, drain->left_ms());
  } catch (const base::Error& error) {
    if (!result.error) result.error = error;
  }
  if (result.error) {
    report_error(
        env, kSlackPost,
        base::Error(result.error->code(), fmt::format("{}; {} lines were read and not delivered",
                                                      result.error->what(), result.undelivered)));
  }
  if (result.undelivered > 0) channels.fail_all(*result.error);
  if (channels.sendings().size() > 1) channels.tell_missing(result.lines + result.undelivered);
  tell_all({[&] { tell(result, options, settings); },
            [&] { write_sending_outputs(env, channels.sendings()); }});
  return result.error ? result.error->code() : exit_code_of(channels.sendings());
}

}  // namespace commands
