// Slack's error words: what each means for the exit code, and what the person can do about it.
// Source: docs.slack.dev chat.postMessage and "Sending messages using incoming webhooks".
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

namespace slack {

struct Refusal {
  std::string word;        // Slack's own, "not_in_channel"; "" when it gave none
  int status = 0;          // HTTP status
  std::string details;     // Slack's further words, "needed: chat:write"; "" when it gave none
  std::string response{};  // the whole reply, as JSON; "" when it was none
};

// Slack's no, with its word and its whole reply for those who want more than the text.
class Refused : public base::Error {
 public:
  Refused(base::ExitCode code, const std::string& message, Refusal refusal)
      : Error(code, message), refusal_(std::move(refusal)) {}
  const Refusal& refusal() const { return refusal_; }

 private:
  Refusal refusal_;
};

// Code 77 for what concerns signing in and permission, 78 for channels and set-up, 65 for the
// message itself, 75 for what may pass, 69 for failures inside Slack, 1 for words not in the table.
Refused refusal_error(const Refusal& refusal);

}  // namespace slack
