#include "commands/serve_events.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "commands/report.hpp"
#include "commands/slack_serve.hpp"
#include "net/hmac.hpp"
#include "slack/signature.hpp"

namespace commands {

namespace {

constexpr size_t kMostRecent = 100'000;
constexpr int64_t kKeepRecentMs = 3'600'000;  // Slack delivers again within minutes
constexpr int64_t kLatestAckMs = 2'500;       // Slack waits for 3 s

// Of the handler and the clock only the first answers.
net::Answer first_only(const net::Answer& answer) {
  return [answer, is_done = std::make_shared<std::atomic_flag>()](net::ServerResponse response) {
    if (!is_done->test_and_set()) answer(std::move(response));
  };
}

// Both of a mention's events name the same message.
std::string message_key(const slack::Heard& heard) {
  return heard.ts.empty() ? "" : heard.channel + " " + heard.ts;
}

}  // namespace

LateAnswers::LateAnswers(int64_t after_ms) : after_ms_(after_ms), thread_([this] { run(); }) {}

LateAnswers::~LateAnswers() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LateAnswers::add(net::Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(base::real_clock().monotonic_ms() + after_ms_, std::move(answer));
  }
  changed_.notify_all();
}

void LateAnswers::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const int64_t left_ms = waiting_.front().first - base::real_clock().monotonic_ms();
    if (left_ms > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(left_ms));
      continue;
    }
    const net::Answer answer = std::move(waiting_.front().second);
    waiting_.pop_front();
    lock.unlock();
    answer({});
    lock.lock();
  }
}

Events::Events(const ServeSettings& settings, base::Clock clock, base::WorkQueue& queue,
               Answers& answers, Metrics& metrics)
    : settings_(settings),
      clock_(std::move(clock)),
      queue_(queue),
      answers_(answers),
      metrics_(metrics),
      recent_(kMostRecent, kKeepRecentMs),
      late_(kLatestAckMs) {}

void Events::take(const net::Headers& headers, const std::string& body, const net::Answer& answer) {
  ++metrics_.received;
  const bool by_token = settings_.signing_secret.empty();
  const slack::Verdict verdict = by_token ? slack::Verdict::genuine : verdict_on(headers, body);
  if (verdict != slack::Verdict::genuine) return refuse(verdict, answer);
  const slack::Delivery delivery =
      slack::read_delivery(body, net::header(headers, "content-type"), settings_.bot.hear_bots);
  if (by_token && !has_token(delivery)) return refuse(slack::Verdict::forged, answer);
  hear(delivery, answer);
}

void Events::hear(const slack::Delivery& delivery, const net::Answer& answer) {
  ++metrics_.verified;
  switch (delivery.kind) {
    case slack::Delivery::Kind::challenge:
      return answer(net::text_response(200, delivery.challenge));
    case slack::Delivery::Kind::broken:
      return answer(net::text_response(400, "this can't be read: " + delivery.reason + "\n"));
    case slack::Delivery::Kind::ignored:
      ++metrics_.ignored;
      return answer(net::text_response(200, ""));
    case slack::Delivery::Kind::heard:
      return queue(delivery, answer);
  }
}

void Events::refuse(slack::Verdict verdict, const net::Answer& answer) {
  ++metrics_.refused;
  answer(net::text_response(
      401, fmt::format("this is not signed by Slack: {}\n", slack::word_of(verdict))));
}

bool Events::has_token(const slack::Delivery& delivery) const {
  return !settings_.verification_token.empty() &&
         net::equal_in_constant_time(delivery.token, settings_.verification_token);
}

slack::Verdict Events::verdict_on(const net::Headers& headers, const std::string& body) const {
  return slack::check_signature(settings_.signing_secret,
                                net::header(headers, "x-slack-request-timestamp"),
                                net::header(headers, "x-slack-signature"), body, clock_.unix_s());
}

bool Events::is_new(const slack::Delivery& delivery) {
  const std::lock_guard lock(mutex_);
  const int64_t now_ms = clock_.monotonic_ms();
  const std::string message = message_key(delivery.heard);
  if (!delivery.event_id.empty() && !recent_.add(delivery.event_id, now_ms)) return false;
  return message.empty() || recent_.add(message, now_ms);
}

void Events::forget(const slack::Delivery& delivery) {
  const std::lock_guard lock(mutex_);
  recent_.forget(delivery.event_id);
  recent_.forget(message_key(delivery.heard));
}

void Events::queue(const slack::Delivery& delivery, const net::Answer& answer) {
  // Most of what people say: no thread need be woken for it, nor is it worth remembering.
  if (!slack::is_for_handler(settings_.bot, delivery.heard)) {
    ++metrics_.ignored;
    return answer(net::text_response(200, ""));
  }
  if (!is_new(delivery)) {
    ++metrics_.duplicates;
    return answer(net::text_response(200, ""));
  }
  const net::Answer once = first_only(answer);
  const net::Answer when_done = settings_.ack_after_handler ? once : net::Answer();
  const bool taken = queue_.offer(
      [this, heard = delivery.heard, when_done](size_t thread) {
        const int64_t begun_ms = clock_.monotonic_ms();
        answers_.answer(settings_.bot, heard, thread);
        metrics_.handler_ms += clock_.monotonic_ms() - begun_ms;
        ++metrics_.handled;
        if (when_done) when_done(net::text_response(200, ""));
      },
      delivery.heard.channel);
  if (!taken) {
    forget(delivery);
    ++metrics_.turned_away;
    return answer(net::text_response(503, "the queue is full; deliver it again\n"));
  }
  if (settings_.ack_after_handler) {
    late_.add(once);
  } else {
    answer(net::text_response(200, ""));
  }
}

}  // namespace commands
