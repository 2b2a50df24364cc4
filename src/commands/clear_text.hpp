// Notices of secrets that would go to another machine by http://, where they can be read on the
// way. They go all the same: stand-ins and proxies in other containers are asked so.
#pragma once

#include <string>

#include "base/env.hpp"
#include "slack/client.hpp"

namespace commands {

// `what` is the secret, "the token"; `url` where it goes. Nothing for https and for the loopback.
void warn_of_clear_text(const base::Env& env, const std::string& command, const std::string& what,
                        const std::string& url);

// The same for what sends to Slack.
void warn_of_clear_text(const base::Env& env, const std::string& command,
                        const slack::Sender& sender);

}  // namespace commands
