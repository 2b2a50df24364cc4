// Which of slack-post's options go together, and which mean nothing without others.
#pragma once

#include <string>

#include "commands/options.hpp"
#include "commands/slack_post_options.hpp"
#include "json/value.hpp"

namespace commands {

// The webhook starts a workflow in Slack.
bool is_for_workflow(const Options& options);

// Whether the method posts a text; true for no method too, which is one of these.
bool takes_text(const std::string& method);

bool has_payload(const Options& options);

// True when something is posted that needs no text.
bool has_other_content(const Options& options);

bool names_channel(const json::Object& payload);

// What only a bot token can do, as it is to be named; "" when none of it is asked for.
std::string token_only(const Options& options, const PostSettings& settings);

// What is wrong with the options, and what to do; "" when nothing is. The first looks at what is to
// be posted, before any file is read; the second at where it goes, by the whole settings.
std::string problem_of_content(const Options& options, const PostSettings& settings);
std::string problem_of_place(const Options& options, const PostSettings& settings);

}  // namespace commands
