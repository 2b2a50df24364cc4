#include "commands/serve_answers.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/input.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "commands/slack_serve.hpp"
#include "slack/message.hpp"
#include "slack/mrkdwn.hpp"
#include "slack/split.hpp"
#include "slack/upload.hpp"
#include "store/board.hpp"

namespace commands {

namespace {

constexpr int64_t kPaceMs = 1'000;
constexpr size_t kMostParts = 10;  // of one answer: who floods a channel shall not have it for long
constexpr int64_t kKeepNamesMs = 600'000;
constexpr size_t kMostNames = 10'000;
constexpr size_t kMostLoggedErrors = 2'000;

std::string thread_of(const slack::Handler& handler, const slack::Heard& heard) {
  if (!heard.thread_ts.empty()) return heard.thread_ts;
  return handler.in_thread ? heard.ts : "";
}

// A command may be given where the bot is no member; its own address takes the answer there.
slack::Sender sender_for(const slack::Sender& sender, const slack::Heard& heard) {
  return heard.response_url.empty() ? sender : slack::Sender{heard.response_url, "", sender.api};
}

slack::Call call_for(const slack::Handler& handler, const slack::Heard& heard,
                     const std::string& text, bool formatted, bool refused) {
  slack::Message message;
  message.text = text;
  message.formatted = formatted;
  if (heard.response_url.empty()) {
    message.channel = heard.channel;
    message.thread_ts = thread_of(handler, heard);
  }
  slack::Call call{slack::kPostMessage, slack::payload(message)};
  if (!heard.response_url.empty()) {
    call.arguments.push_back({"response_type", refused ? "ephemeral" : "in_channel"});
  }
  return call;
}

// Whether it is a regular file in that folder, links followed.
bool is_below(const std::string& path, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::path root = fs::canonical(folder, failure);
  if (failure) return false;
  const fs::path real = fs::canonical(path, failure);
  if (failure || !fs::is_regular_file(real, failure)) return false;
  return std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
}

// A full member of the bot's own workspace: in shared channels others may have the same names.
bool is_member(const json::Value& user, const std::string& team) {
  for (const char* name : {"deleted", "is_stranger", "is_restricted", "is_ultra_restricted"}) {
    if (json::bool_at(user, name)) return false;
  }
  return json::string_at(user, "team_id") == team;
}

// "web is at v1.2 (since 2026-11-25 10:02 UTC)"
std::string shown_note(const store::Note& note) {
  return fmt::format("{} is {} (since {:%Y-%m-%d %H:%M} UTC)", slack::escape(note.key),
                     slack::escape(note.value), fmt::gmtime(static_cast<std::time_t>(note.unix_s)));
}

// What a state handler answers; its expression's captures tell what was asked (slack/bot_file.cpp).
std::string board_text(const slack::Handler& handler, const slack::Heard& heard,
                       const std::map<std::string, std::string>& said) {
  const std::string& key = said.at("key");
  if (!key.empty()) {
    const store::Note note{key, said.at("value"), heard.user, base::real_clock().unix_s()};
    store::write_note(handler.board, note);
    return fmt::format("{} is {}", slack::escape(note.key), slack::escape(note.value));
  }
  if (!said.at("shown").empty()) {
    const auto note = store::read_note(handler.board, said.at("shown"));
    return note ? shown_note(*note) : slack::escape(said.at("shown")) + " is not known";
  }
  std::string text;
  for (const store::Note& note : store::read_notes(handler.board)) {
    if (!text.empty()) text += "\n";
    text += said.at("list").empty() ? shown_note(note) : slack::escape(note.key);
  }
  return text.empty() ? "nothing is known yet" : text;
}

}  // namespace

base::Outcome run_task(const slack::Task& task, const std::string& input, const base::Env& env,
                       const std::function<bool()>& stop) {
  base::Program program;
  program.argv = task.argv;
  program.input = input;
  program.timeout_ms = task.handler->timeout_ms;
  program.most_output_bytes = task.handler->most_output_bytes;
  std::vector<std::string> names = task.handler->environment;
  names.emplace_back("PATH");
  for (const std::string& name : names) {
    if (!env(name).empty()) program.environment.push_back(name + "=" + env(name));
  }
  return base::run_program(program, stop);
}

slack::Reply reply_to(const slack::Heard& heard, const slack::Task& task, const base::Env& env,
                      const std::function<bool()>& stop) {
  const slack::Handler& handler = *task.handler;
  const bool asks_board = handler.deed == slack::Handler::Deed::state && !task.refused;
  if (task.argv.empty() && !asks_board) return {task.text, true, {}, false, ""};
  try {
    if (asks_board) return {board_text(handler, heard, task.captures), true, {}, false, ""};
    const base::Outcome outcome = run_task(task, slack::program_input(heard, task), env, stop);
    const std::string errors = base::shorten(base::one_line(outcome.errors), kMostLoggedErrors);
    if (!base::trim(errors).empty()) report_progress(kSlackServe, handler.name + ": " + errors);
    return slack::reply_of(handler,
                           {outcome.exit_code, outcome.output, outcome.timed_out, outcome.cut});
  } catch (const std::exception& error) {
    report_progress(kSlackServe, handler.name + ": " + error.what());
    return {slack::escape_plain(handler.name + " does not work here"), false, {}, true, ""};
  }
}

Answers::Answers(slack::Sender sender, std::vector<slack::Line> lines, base::Env env,
                 Metrics& metrics, std::function<bool()> stop)
    : sender_(std::move(sender)),
      lines_(std::move(lines)),
      env_(std::move(env)),
      metrics_(metrics),
      stop_(std::move(stop)) {}

void Answers::answer(const slack::Bot& bot, const slack::Heard& heard, size_t thread) {
  const slack::Line& line = lines_.at(thread);
  std::optional<std::vector<std::string>> known;  // asked for once, also when it fails
  const slack::Names names{[&](const slack::Heard& of) {
                             if (!known) known = names_or_none(of, line);
                             return *known;
                           },
                           [](const slack::Heard&) { return std::string(); }};  // IDs are known
  const std::string where = base::one_line(heard.channel);
  try {
    for (const slack::Task& task : slack::tasks_for(bot, heard, names)) {
      const slack::Reply reply = reply_to(heard, task, env_, stop_);
      try {
        post(*task.handler, heard, reply, task.refused, line);
        ++metrics_.answers;
      } catch (const base::Error& error) {
        report_progress(kSlackServe, fmt::format("{}: {} got no answer: {}", where,
                                                 task.handler->name, error.what()));
        ++metrics_.failures;
      }
    }
  } catch (const std::exception& error) {
    report_progress(kSlackServe, fmt::format("{}: {}", where, error.what()));
    ++metrics_.failures;
  }
}

void Answers::post(const slack::Handler& handler, const slack::Heard& heard,
                   const slack::Reply& reply, bool refused, const slack::Line& line) {
  const bool uploads = !reply.files.empty() || !reply.long_output.empty();
  if (uploads) return upload(handler, heard, reply, line);
  const slack::Sender sender = sender_for(sender_, heard);
  const auto markup = reply.formatted ? slack::Markup::mrkdwn : slack::Markup::plain;
  std::vector<std::string> parts = slack::split(reply.text, slack::kMaxText, markup);
  if (parts.size() > kMostParts) {
    parts.resize(kMostParts);
    parts.emplace_back("… (the rest is cut)");
  }
  for (const std::string& part : parts) {
    wait_for_turn(heard.channel, line);
    slack::send(sender, call_for(handler, heard, part, reply.formatted, refused), line);
  }
}

void Answers::upload(const slack::Handler& handler, const slack::Heard& heard,
                     const slack::Reply& reply, const slack::Line& line) {
  std::vector<slack::File> files;
  for (const slack::MadeFile& made : reply.files) {
    if (!is_below(made.path, handler.files_below)) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("it names {}, which is no file below its {}",
                                    base::one_line(made.path), handler.files_below));
    }
    const base::Parts parts = base::open_parts(made.path, env_);
    files.push_back({made.filename, made.title, {parts.bytes, parts.read}});
  }
  if (!reply.long_output.empty()) {
    files.push_back({handler.name + ".txt", "", net::body_of(reply.long_output)});
  }
  for (const slack::File& file : files) {
    if (file.body.bytes > 0) continue;
    throw base::Error(base::exit_bad_input,
                      file.filename + " is empty, and Slack takes no empty files");
  }
  json::Array uploaded = slack::upload(sender_, files, line, {});
  slack::Call call{slack::kCompleteUpload,
                   {{"files", std::move(uploaded)}, {"channel_id", heard.channel}}};
  const std::string thread_ts = thread_of(handler, heard);
  if (!thread_ts.empty()) call.arguments.push_back({"thread_ts", thread_ts});
  if (!reply.text.empty()) call.arguments.push_back({"initial_comment", reply.text});
  wait_for_turn(heard.channel, line);
  slack::send(sender_, call, line);
}

// A message a second in a channel, in whatever order they come.
void Answers::wait_for_turn(const std::string& place, const slack::Line& line) {
  int64_t wait_ms = 0;
  {
    const std::lock_guard lock(mutex_);
    const int64_t now_ms = line.clock.monotonic_ms();
    std::erase_if(turns_ms_, [&](const auto& turn) { return turn.second <= now_ms; });
    const auto found = turns_ms_.find(place);
    const int64_t turn_ms = found == turns_ms_.end() ? now_ms : found->second;
    turns_ms_[place] = turn_ms + kPaceMs;
    wait_ms = turn_ms - now_ms;
  }
  if (wait_ms > 0) line.clock.sleep_ms(wait_ms);
}

// The name that Slack gives and the address; the names people choose for themselves prove nothing.
std::vector<std::string> Answers::names_or_none(const slack::Heard& heard,
                                                const slack::Line& line) {
  try {
    return names_of(heard, line);
  } catch (const base::Error& error) {
    report_progress(kSlackServe,
                    fmt::format("{}: who this is can't be found out, so no name fits: {}",
                                base::one_line(heard.user), error.what()));
    return {};
  }
}

std::vector<std::string> Answers::names_of(const slack::Heard& heard, const slack::Line& line) {
  const std::string key = heard.team + " " + heard.user;
  const int64_t now_ms = line.clock.monotonic_ms();
  {
    const std::lock_guard lock(mutex_);
    const auto found = users_.find(key);
    if (found != users_.end() && found->second.until_ms > now_ms) return found->second.names;
  }
  slack::Line lookup = line;
  lookup.repeat_when_unsure = true;
  const json::Value reply =
      slack::call_method(sender_, {"users.info", {{"user", heard.user}}}, lookup);
  std::vector<std::string> names;
  const json::Value* about = json::find(reply, "user");
  const bool is_known = about != nullptr && is_member(*about, heard.team);
  if (is_known) {
    names.push_back(base::lower_ascii(json::string_at(*about, "name")));
  }
  const json::Value* profile = json::find(reply, {"user", "profile"});
  if (is_known && profile != nullptr) {
    names.push_back(base::lower_ascii(json::string_at(*profile, "email")));
  }
  std::erase(names, "");
  const std::lock_guard lock(mutex_);
  if (users_.size() >= kMostNames) users_.clear();
  users_[key] = {names, now_ms + kKeepNamesMs};
  return names;
}

}  // namespace commands
