// Takes what Slack delivers, by whatever transport: verifies it, sorts out what was there before,
// queues the rest, and decides when Slack is told so.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "base/work_queue.hpp"
#include "commands/serve_answers.hpp"
#include "commands/serve_metrics.hpp"
#include "commands/serve_options.hpp"
#include "net/server.hpp"
#include "slack/event.hpp"
#include "slack/recent.hpp"
#include "slack/signature.hpp"

namespace commands {

// Answers after a while what nobody has answered until then.
class LateAnswers {
 public:
  explicit LateAnswers(int64_t after_ms);
  LateAnswers(const LateAnswers&) = delete;
  LateAnswers& operator=(const LateAnswers&) = delete;
  ~LateAnswers();

  void add(net::Answer answer);

 private:
  void run();

  const int64_t after_ms_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<int64_t, net::Answer>> waiting_;
  bool stopped_ = false;
  std::thread thread_;
};

class Events {
 public:
  Events(const ServeSettings& settings, base::Clock clock, base::WorkQueue& queue, Answers& answers,
         Metrics& metrics);

  // One request of Slack. Answers 200 (with the challenge, if it is one), 400 for what can't be
  // read, 401 for what is not proved to be Slack's, 503 when the queue is full.
  void take(const net::Headers& headers, const std::string& body, const net::Answer& answer);

  // The same of a delivery that is known to be Slack's.
  void hear(const slack::Delivery& delivery, const net::Answer& answer);

 private:
  slack::Verdict verdict_on(const net::Headers& headers, const std::string& body) const;
  bool has_token(const slack::Delivery& delivery) const;
  void refuse(slack::Verdict verdict, const net::Answer& answer);
  bool is_new(const slack::Delivery& delivery);
  void forget(const slack::Delivery& delivery);
  void queue(const slack::Delivery& delivery, const net::Answer& answer);

  const ServeSettings& settings_;
  base::Clock clock_;
  base::WorkQueue& queue_;
  Answers& answers_;
  Metrics& metrics_;
  std::mutex mutex_;
  slack::Recent recent_;
  LateAnswers late_;
};

}  // namespace commands
