// Sends messages, one a channel, and tells how each fared: to the person, to later steps, and as
// exit code. One channel's failure does not keep the others from their message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "commands/options.hpp"
#include "json/value.hpp"
#include "slack/client.hpp"

namespace commands {

struct Sending {
  slack::Message message;
  std::string place;                      // "#ops", or "webhook", which decides by itself
  std::string subject;                    // "3 pages", for the line that tells of it
  std::optional<slack::Receipt> receipt;  // Slack took it
  std::optional<base::Error> error;       // Slack did not
};

// Tries each and fills in receipt or error. Failures are reported at once, so that nothing that
// goes wrong later can hide them; Slack's warnings become notices.
void send_all(std::vector<Sending>& sendings, const slack::Sender& sender, const slack::Line& line,
              const base::Env& env, const std::string& command);

// {"#ops": {"ok": true, "channel_id": …, "ts": …}, …} in the order of sending.
json::Value results_json(const std::vector<Sending>& sendings);

// "told #ops of 3 pages (C123 1700.0001)", a line for each that Slack took.
std::string sent_text(const std::vector<Sending>& sendings);

// What to show of a dry run: the exact payloads as JSON Lines, or each message as a person reads
// it, with a link to Slack's Block Kit Builder.
std::string dry_run_json(const std::vector<Sending>& sendings);
std::string dry_run_text(const std::vector<Sending>& sendings, bool styled);

// The outputs ok ("true" when Slack took all, "false" when it did not take one, "" when nothing was
// sent), channel_id, ts and thread_ts of the first channel, results.
void write_sending_outputs(const base::Env& env, const std::vector<Sending>& sendings);

// The first failure's exit code; 0 without one.
int exit_code_of(const std::vector<Sending>& sendings);

}  // namespace commands
