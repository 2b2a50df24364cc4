#include "slack/bot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "slack/captures.hpp"
#include "slack/mrkdwn.hpp"

namespace slack {

namespace {

using Deed = Handler::Deed;
using Trigger = Handler::Trigger;

std::string as_it_is(std::string_view text) {
  return std::string(text);
}

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool may_here(const Handler& handler, const Heard& heard, const Names& names) {
  return handler.channels.empty() || holds(handler.channels, heard.channel) ||
         holds(handler.channels, names.of_channel(heard));
}

bool may_user(const Handler& handler, const Heard& heard, const Names& names) {
  if (handler.users.empty() || holds(handler.users, heard.user)) return true;
  const std::vector<std::string> known = names.of_user(heard);
  return std::any_of(known.begin(), known.end(),
                     [&](const std::string& name) { return holds(handler.users, name); });
}

bool is_allowed(const Handler& handler, const Heard& heard, const Names& names) {
  return may_here(handler, heard, names) && may_user(handler, heard, names);
}

bool fits(const Handler& handler, const Heard& heard, Captures& captures) {
  if (handler.trigger == Trigger::command) {
    captures = {{"0", heard.text}, {"text", heard.text}};
    return heard.command == handler.pattern;
  }
  return handler.trigger == Trigger::match && heard.command.empty() &&
         find_captures(*handler.match, heard.text, captures);
}

// What this user may do here, a line each.
std::string help_text(const Bot& bot, const Heard& heard, const Names& names) {
  std::string text;
  for (const Handler& handler : bot.handlers) {
    const bool is_heard = handler.trigger == Trigger::match || handler.trigger == Trigger::command;
    if (!is_heard || !is_allowed(handler, heard, names)) continue;
    const std::string shown = handler.description.empty() ? handler.pattern : handler.description;
    text += fmt::format("{}• {}", text.empty() ? "" : "\n", escape(shown));
  }
  return text;
}

std::string sound_off_text(const Bot& bot) {
  std::string text;
  for (const Handler& handler : bot.handlers) {
    text += fmt::format("{}{} reporting for duty", text.empty() ? "" : "\n", escape(handler.name));
  }
  return text;
}

size_t leading_dashes(const std::string& text) {
  return std::min(text.find_first_not_of('-'), text.size());
}

// A capture that begins with a dash could be an option of the program, or make another one of the
// file's own. The file may allow it by a "--" in front of it.
bool smuggles_option(const Handler& handler, const std::vector<std::string>& argv) {
  bool behind_dashes = false;  // only captures stand between here and a --
  for (size_t i = 1; i < argv.size(); ++i) {
    const bool is_captured = !captures_in(handler.argv[i]).empty();
    behind_dashes = handler.argv[i] == "--" || (behind_dashes && is_captured);
    if (!behind_dashes && leading_dashes(argv[i]) > leading_dashes(handler.argv[i])) return true;
  }
  return false;
}

Task done(const Bot& bot, const Handler& handler, const Heard& heard, const Names& names,
          const Captures& captures) {
  Task task;
  task.handler = &handler;
  task.captures = captures;
  switch (handler.deed) {
    case Deed::reply:
      task.text = filled(handler.reply, captures, escape_lines);
      break;
    case Deed::help:
      task.text = help_text(bot, heard, names);
      break;
    case Deed::hello:
      task.text = fmt::format("{} is alive and well", escape(bot.name));
      break;
    case Deed::sound_off:
      task.text = sound_off_text(bot);
      break;
    case Deed::echo: {
      const auto text = captures.find(handler.trigger == Trigger::command ? "text" : "1");
      task.text = escape_lines(text == captures.end() ? heard.text : text->second);
      break;
    }
    case Deed::state:
      break;  // whoever keeps the board knows
    case Deed::run: {
      for (const std::string& argument : handler.argv) {
        task.argv.push_back(filled(argument, captures, as_it_is));
      }
      if (!smuggles_option(handler, task.argv)) break;
      task.refused = true;
      task.argv.clear();
      task.text = "no: what I am to pass on may not begin with a dash";
    }
  }
  return task;
}

}  // namespace

bool is_for_handler(const Bot& bot, const Heard& heard) {
  return std::any_of(bot.handlers.begin(), bot.handlers.end(), [&](const Handler& handler) {
    Captures captures;
    return fits(handler, heard, captures);
  });
}

std::vector<Task> tasks_for(const Bot& bot, const Heard& heard, const Names& names) {
  std::vector<Task> tasks;
  for (const Handler& handler : bot.handlers) {
    Captures captures;
    if (!fits(handler, heard, captures)) continue;
    if (is_allowed(handler, heard, names)) {
      tasks.push_back(done(bot, handler, heard, names, captures));
    } else if (!handler.refusal.empty()) {
      tasks.push_back({&handler, true, handler.refusal, {}, captures});
    }
    if (handler.stop) break;
  }
  return tasks;
}

Task task_of(const Handler& handler) {
  Task task{&handler, false, filled(handler.reply, {}, as_it_is), {}, {}};
  for (const std::string& argument : handler.argv) {
    task.argv.push_back(filled(argument, {}, as_it_is));
  }
  return task;
}

}  // namespace slack
