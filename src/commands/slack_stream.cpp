#include "commands/slack_stream.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/input.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
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

int64_t read_time_ms(const Options& options, const char* name) {
  int64_t ms = 0;
  if (base::read_duration_ms(base::trim(options.text(name)), ms)) return ms;
  throw options.wrong_value(name, "a time like 1s, 500ms or 2m, at most a day");
}

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

slack::Feed stdin_feed(bool tee) {
  auto after_stop = std::make_shared<size_t>(0);
  return [tee, after_stop](std::string& to, size_t most, int64_t wait_ms) {
    if (*after_stop >= kMostBytesAfterStop) return base::Came::stop;
    const size_t before = to.size();
    const base::Came came = base::read_some(to, most, wait_ms);
    if (tee) base::write_stdout(std::string_view(to).substr(before));
    if (base::stop_asked()) *after_stop += to.size() - before;
    return came;
  };
}

// The channels, with the ID where a person is named by an address; one that is not found has
// failed.
std::vector<Sending> channels_of(const PostSettings& settings) {
  std::vector<Sending> channels;
  for (const Place& place : places_of(settings)) {
    channels.push_back(sending_to(place, settings));
    channels.back().calls = {stream_call(settings, place.channel, "")};
  }
  if (!settings.dry_run) resolve_places(channels, settings);
  return channels;
}

void fail(Sending& channel, const base::Error& error, const base::Env& env) {
  channel.error = error;
  report_error(env, kSlackPost, error);
}

// Posts to each channel that still takes messages; throws when there is none left, or no time.
void post_to_all(std::vector<Sending>& channels, const std::string& text,
                 const PostSettings& settings, const base::Env& env, Drain& drain) {
  bool any = false;
  for (Sending& channel : channels) {
    if (channel.error) continue;
    const json::Value resolved(channel.calls.front().arguments);
    const slack::Call call = stream_call(settings, json::string_at(resolved, "channel"), text);
    try {
      slack::Receipt receipt = slack::send(settings.delivery.sender, call, settings.line);
      channel.response = receipt.response;
      if (channel.receipts.empty()) channel.receipts.push_back(std::move(receipt));
      any = true;
    } catch (const base::Error& error) {
      drain.check();  // throws when the time is why
      fail(channel, {error.code(), fmt::format("{}: {}", channel.place, error.what())}, env);
    }
  }
  if (!any) throw base::Error(channels.front().error->code(), "no channel takes the stream");
}

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
      std::make_shared<Drain>(settings.line.clock, read_time_ms(options, "drain-timeout"));
  base::stop_on_signals();
  bind(settings.line, drain);
  std::vector<Sending> channels = channels_of(settings);
  for (Sending& channel : channels) {
    if (channel.error) fail(channel, *channel.error, env);
  }
  slack::StreamOptions stream;
  stream.interval_ms = read_time_ms(options, "interval");
  stream.encode = [&](const std::string& lines) { return encoded_text(lines, settings.trust); };
  stream.markup = markup_of(settings.trust);
  stream.on_end = [&] { drain->begin(); };
  stream.post = [&](const std::string& text) {
    if (settings.dry_run) {
      for (Sending& channel : channels) {
        channel.calls = {stream_call(settings, channel.place, text)};
      }
      print_sendings(channels, true, settings.as_json, env);
    } else {
      post_to_all(channels, text, settings, env, *drain);
    }
  };
  const slack::StreamResult result =
      slack::stream(stdin_feed(options.toggle("tee")), settings.line.clock, stream);
  if (result.error) {
    report_error(
        env, kSlackPost,
        base::Error(result.error->code(), fmt::format("{}; {} lines were read and not delivered",
                                                      result.error->what(), result.undelivered)));
  }
  tell_all(
      {[&] { tell(result, options, settings); }, [&] { write_sending_outputs(env, channels); }});
  return result.error ? result.error->code() : exit_code_of(channels);
}

}  // namespace commands
