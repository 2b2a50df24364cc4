// gollum-notify's options and what is read by them: the event, the diff, filters, routes. Each
// function throws base::Error that names the option or the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/help.hpp"
#include "commands/options.hpp"
#include "commands/slack_options.hpp"
#include "gollum/diff.hpp"
#include "gollum/event.hpp"
#include "gollum/filter.hpp"

namespace commands {

std::vector<Option> gollum_options();
Page gollum_help();

// The event with its sender (GITHUB_ACTOR when the payload names none); nothing, and a notice, when
// it is of another kind and --ignore-other-events says that this is fine.
std::optional<gollum::Event> read_event(const Options& options);

gollum::Filters read_filters(const Options& options);
std::vector<gollum::Route> read_routes(const Options& options);
std::vector<gollum::FileDiff> read_diff(const Options& options);  // empty without --diff
std::string read_text_prefix(const Options& options);

// Throws 64 for what can't work together, before anything is read or sent.
void check_usage(const Options& options, const Delivery& delivery, bool has_routes);

}  // namespace commands
