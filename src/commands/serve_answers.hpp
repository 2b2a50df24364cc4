// Does what the bot's handlers want about a message: finds out names, runs programs, answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/env.hpp"
#include "base/process.hpp"
#include "commands/serve_metrics.hpp"
#include "slack/bot.hpp"
#include "slack/client.hpp"
#include "slack/program_reply.hpp"

namespace commands {

// Runs what a task asks for, with the variables its handler names; `input` on its standard input.
base::Outcome run_task(const slack::Task& task, const std::string& input, const base::Env& env,
                       const std::function<bool()>& stop);

// The answer to a task: its text, or what its program says.
slack::Reply reply_to(const slack::Heard& heard, const slack::Task& task, const base::Env& env,
                      const std::function<bool()>& stop);

class Answers {
 public:
  // A line to Slack for each thread that answers. `stop` ends programs at once.
  Answers(slack::Sender sender, std::vector<slack::Line> lines, base::Env env, Metrics& metrics,
          std::function<bool()> stop);

  // Answers the message by the bot's handlers; `thread` is the number of the line to use. Failures
  // are told on standard error. Throws nothing.
  void answer(const slack::Bot& bot, const slack::Heard& heard, size_t thread);

 private:
  void post(const slack::Handler& handler, const slack::Heard& heard, const slack::Reply& reply,
            bool refused, const slack::Line& line);
  void upload(const slack::Handler& handler, const slack::Heard& heard, const slack::Reply& reply,
              const slack::Line& line);
  void wait_for_turn(const std::string& place, const slack::Line& line);
  std::vector<std::string> names_or_none(const slack::Heard& heard, const slack::Line& line);
  std::vector<std::string> names_of(const slack::Heard& heard, const slack::Line& line);

  slack::Sender sender_;
  std::vector<slack::Line> lines_;
  base::Env env_;
  Metrics& metrics_;
  std::function<bool()> stop_;

  struct Known {
    std::vector<std::string> names;
    int64_t until_ms = 0;
  };
  std::mutex mutex_;
  std::map<std::string, int64_t> turns_ms_;  // place -> when the next message may go
  std::map<std::string, Known> users_;
};

}  // namespace commands
