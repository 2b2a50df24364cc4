// Sends messages, one a channel, and tells how each fared: to the person, to later steps, and as
// exit code. One channel's failure does not keep the others from their message.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "commands/options.hpp"
#include "json/value.hpp"
#include "slack/client.hpp"
#include "slack/upload.hpp"

namespace commands {

// What one channel is to get.
struct Sending {
  std::string place;               // "#ops", or "webhook", which decides by itself
  std::string done;                // the line when Slack took it: "told #ops of 3 pages"
  std::vector<slack::File> files;  // uploaded first, and shared by the first call
  std::vector<slack::Call> calls;  // in order; more than one for the parts of a long text
  bool in_thread = false;          // the later parts answer the first in its thread

  // What became of it.
  std::vector<slack::Receipt> receipts;  // of the calls that Slack took
  std::optional<base::Error> error;      // why the rest was not sent
  std::string response;                  // Slack's last reply as JSON, also when it was a no
};

bool is_sent(const Sending& sending);

// Tries each that has no error yet, the calls of one a second apart at least, as Slack wants it for
// a channel. Failures are reported at once, so that nothing that goes wrong later can hide them;
// Slack's warnings become notices. Uploads show their progress at a terminal.
void send_all(std::vector<Sending>& sendings, const slack::Sender& sender, const slack::Line& line,
              const base::Env& env, const std::string& command);

// {"#ops": {"ok": true, "channel_id": …, "ts": …}, …} in the order of sending; with several parts
// also "parts", the ts of each.
json::Value results_json(const std::vector<Sending>& sendings);

// "told #ops of 2 pages (C123 1700.0001)", a line for each that Slack took.
std::string sent_text(const std::vector<Sending>& sendings);

// What to show of a dry run: the exact arguments as JSON Lines, or each message as a person reads
// it, with a link to Slack's Block Kit Builder where it has blocks.
std::string dry_run_json(const std::vector<Sending>& sendings);
std::string dry_run_text(const std::vector<Sending>& sendings, bool styled);

// Prints one of the four above, as asked for.
void print_sendings(const std::vector<Sending>& sendings, bool dry_run, bool as_json,
                    const base::Env& env);

// Does each of them, whatever becomes of the others, and throws the first error at the end: a full
// disk behind one place must not keep the word of what was sent from the others.
void tell_all(const std::vector<std::function<void()>>& tellings);

// The outputs ok ("true" when Slack took all, "false" when it did not take one, "" when nothing was
// sent), channel_id, ts, thread_ts and response of the first channel, time (seconds since 1970),
// results.
void write_sending_outputs(const base::Env& env, const std::vector<Sending>& sendings);

// The first failure's exit code; 0 without one.
int exit_code_of(const std::vector<Sending>& sendings);

}  // namespace commands
