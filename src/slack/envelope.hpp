// What goes to and fro in Socket Mode: Slack's envelopes, and this side's acknowledgements, which
// Slack wants within 3 s as {"envelope_id":…}, with a payload if the envelope accepts one. Source:
// docs.slack.dev, "Using Socket Mode".
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "json/value.hpp"

namespace slack {

struct Envelope {
  std::string id;       // envelope_id
  std::string type;     // "events_api", "slash_commands", "interactive"…
  json::Value payload;  // null when there is none
  bool accepts_response_payload = false;
  int64_t retry_attempt = 0;  // 0: the first delivery
  std::string retry_reason;   // "" without one
};

Envelope envelope_of(const json::Value& message);

// 0 when there is none.
int64_t whole_number_at(const json::Value& value, const char* name);

struct Acknowledgement {
  std::string envelope_id;
  std::optional<json::Value> payload;  // only for an envelope that accepts one
};

std::string text_of(const Acknowledgement& acknowledgement);

// Acknowledgements on their way from any thread to run_socket_mode().
class AcknowledgementQueue {
 public:
  AcknowledgementQueue();  // throws 70 when no descriptor is left
  AcknowledgementQueue(const AcknowledgementQueue&) = delete;
  AcknowledgementQueue& operator=(const AcknowledgementQueue&) = delete;
  ~AcknowledgementQueue();

  void add(Acknowledgement acknowledgement);

  std::vector<Acknowledgement> take();      // all of them, in order
  int descriptor() const { return wake_; }  // readable when there are some

 private:
  std::mutex mutex_;
  std::vector<Acknowledgement> waiting_;
  int wake_;
};

}  // namespace slack
