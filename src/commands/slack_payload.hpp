// Documents that people give to Slack: payloads, blocks. They pass as they are; only what templates
// put into them is foreign text.
#pragma once

#include <string>

#include "commands/options.hpp"
#include "json/value.hpp"
#include "slack/split.hpp"

namespace commands {

// How foreign text is let through.
struct Trust {
  bool mrkdwn = false;      // its markup works
  bool broadcasts = false;  // also that which calls everybody
  bool link_names = false;  // Slack will look for @names
};

Trust read_trust(const Options& options);  // --mrkdwn, --allow-broadcast, --link-names

// Foreign text for a place where Slack reads mrkdwn.
std::string trusted_mrkdwn(const std::string& text, const Trust& trust);

// The same for a message of plain text, which needs no escapes but those of & < >.
std::string encoded_text(const std::string& text, const Trust& trust);

// How a text of that trust is split.
slack::Markup markup_of(const Trust& trust);

// The event that started the workflow, by GITHUB_EVENT_PATH; null when there is none. Throws 65.
json::Value read_github_event(const base::Env& env);

// The payload of --payload or --payload-file-path (JSON or YAML), with templates filled in and
// flattened if asked for; empty without one. Throws 65 with line and column for a
// broken one, and for a template whose value is missing with the place in the document.
json::Object read_payload(const Options& options);

// The list in the file of --blocks, alone or as "blocks" of an object; templates as above.
json::Array read_blocks(const Options& options);

// True when one of the options that read standard input is "-".
bool payload_from_stdin(const Options& options);

}  // namespace commands
