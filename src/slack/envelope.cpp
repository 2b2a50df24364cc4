#include "slack/envelope.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "json/write.hpp"

namespace slack {

int64_t whole_number_at(const json::Value& value, const char* name) {
  const json::Value* found = json::find(value, name);
  const auto* number = found == nullptr ? nullptr : std::get_if<int64_t>(&found->data);
  return number == nullptr ? 0 : *number;
}

Envelope envelope_of(const json::Value& message) {
  const json::Value* payload = json::find(message, "payload");
  return {json::string_at(message, "envelope_id"),
          json::string_at(message, "type"),
          payload == nullptr ? json::Value() : *payload,
          json::bool_at(message, "accepts_response_payload"),
          whole_number_at(message, "retry_attempt"),
          json::string_at(message, "retry_reason")};
}

std::string text_of(const Acknowledgement& acknowledgement) {
  json::Object text = {{"envelope_id", acknowledgement.envelope_id}};
  if (acknowledgement.payload) text.push_back({"payload", *acknowledgement.payload});
  return json::write(text);
}

AcknowledgementQueue::AcknowledgementQueue() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw base::Error(base::exit_our_bug, "no descriptor is left");
}

AcknowledgementQueue::~AcknowledgementQueue() {
  ::close(wake_);
}

void AcknowledgementQueue::add(Acknowledgement acknowledgement) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(acknowledgement));
  ::eventfd_write(wake_, 1);
}

std::vector<Acknowledgement> AcknowledgementQueue::take() {
  const std::lock_guard lock(mutex_);
  eventfd_t count = 0;
  ::eventfd_read(wake_, &count);
  return std::exchange(waiting_, {});
}

}  // namespace slack
