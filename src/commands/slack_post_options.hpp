// slack-post's options, and what they mean together.
#pragma once

#include <string>
#include <vector>

#include "commands/help.hpp"
#include "commands/options.hpp"
#include "commands/slack_options.hpp"
#include "commands/slack_payload.hpp"
#include "json/value.hpp"

namespace commands {

std::vector<Option> slack_post_options();
Page slack_post_help();

enum class Overflow { split, thread, file, fail };

// Everything the options say, read whole before anything is sent.
struct PostSettings {
  bool dry_run = false;
  bool as_json = false;
  bool errors = true;  // a refusal of Slack fails the step
  bool is_stream = false;
  Delivery delivery;
  slack::Looks looks;
  slack::Line line;
  std::string method;     // "" for the one that fits
  std::string ephemeral;  // user
  std::string update;     // ts, or an earlier step's results
  bool broadcast = false;
  Overflow overflow = Overflow::split;
  Trust trust;
  json::Object payload;
  json::Array blocks;
  std::vector<std::string> files;
};

// Throws 64 for what can't be right or can't work together, 65 and 66 as the files do.
PostSettings read_post_settings(const Options& options);

// The same in its three steps: what the options say by themselves, the documents (65, 66), and by
// these where it all goes; that is set also when it throws.
PostSettings read_post_words(const Options& options);
void read_post_documents(const Options& options, PostSettings& settings);
void read_post_place(const Options& options, PostSettings& settings);

// Whether read_post_text() reads standard input.
bool text_from_stdin(const Options& options);

// The text to post: the argument, else standard input when nothing else is to be posted; "" when
// something else is. Throws 65 for text with NUL bytes, or for none at all.
std::string read_post_text(const Options& options);

}  // namespace commands
