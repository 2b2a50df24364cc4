// Who answers which request: Slack's events, the bot's own paths, an Azure Functions host's
// envelopes, and the pages for those who run it.
#pragma once

#include <string>

#include "base/work_queue.hpp"
#include "commands/serve_answers.hpp"
#include "commands/serve_events.hpp"
#include "commands/serve_metrics.hpp"
#include "commands/serve_options.hpp"
#include "net/server.hpp"

namespace commands {

class Routes {
 public:
  Routes(const ServeSettings& settings, Events& events, base::WorkQueue& queue, Metrics& metrics,
         base::Env env, std::function<bool()> stop);

  // Answers one request now or later; logs it when it is answered.
  void handle(const net::ServerRequest& request, const net::Answer& answer);

 private:
  void route(const net::ServerRequest& request, const net::Answer& answer);
  void route_slack_or_path(const net::ServerRequest& request, const net::Answer& answer);
  void run_function(const std::string& name, const json::Value& data, const net::Answer& answer);
  // Answers 500 when the program fails, so that an Azure host delivers its message again.
  void run(const slack::Task& task, const std::string& input, const std::string& key,
           const std::function<net::ServerResponse(const base::Outcome&)>& response_of,
           const net::Answer& answer);
  void run_path(const slack::Handler& handler, const net::ServerRequest& request,
                const net::Answer& answer);
  const slack::Handler* handler_at(slack::Handler::Trigger trigger, const std::string& name) const;
  bool is_for_slack(const std::string& path) const;

  const ServeSettings& settings_;
  Events& events_;
  base::WorkQueue& queue_;
  Metrics& metrics_;
  base::Env env_;
  std::function<bool()> stop_;
};

}  // namespace commands
