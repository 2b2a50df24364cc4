#include "commands/clear_text.hpp"

#include <fmt/format.h>

#include "commands/report.hpp"
#include "net/loopback.hpp"
#include "net/url.hpp"

namespace commands {

void warn_of_clear_text(const base::Env& env, const std::string& command, const std::string& what,
                        const std::string& url) {
  if (!net::is_in_clear(url)) return;
  report_notice(env, command,
                fmt::format("{} goes to {} in the clear, and can be read on the way; use https://",
                            what, net::origin(url)));
}

void warn_of_clear_text(const base::Env& env, const std::string& command,
                        const slack::Sender& sender) {
  warn_of_clear_text(env, command, "the webhook's address, a secret,", sender.webhook);
  if (!sender.token.empty()) warn_of_clear_text(env, command, "the token", sender.api);
}

}  // namespace commands
