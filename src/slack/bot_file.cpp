// Reads the bot's file; see slack/bot.hpp.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/place.hpp"
#include "slack/bot.hpp"
#include "slack/captures.hpp"
#include "slack/lookup.hpp"

namespace slack {

namespace {

using json::amount_at;
using json::Place;
using json::refuse_doubles;
using json::refuse_unknown;
using json::text_at;
using json::texts_at;
using json::toggle_at;
using Deed = Handler::Deed;
using Trigger = Handler::Trigger;

constexpr int64_t kMaxExpressionBytes = 1 << 20;  // of RE2's memory for one

struct BuiltIn {
  const char* name;
  Deed deed;
  const char* pattern;
  const char* description;
};

// Those that need no match of their own.
constexpr BuiltIn kBuiltIns[] = {
    {"help", Deed::help, "(?i)^help[?!.]*$", "help: this list"},
    {"hello", Deed::hello, "(?i)^(hello|hi|hey)\\b", "hello: whether I am alive"},
    {"sound_off", Deed::sound_off, "(?i)^sound off[!.]*$", "sound off: every handler reports"},
    {"echo", Deed::echo, "(?i)^echo (.*)$", "echo TEXT: says it again"},
};

constexpr const char* kBotMembers[] = {"name", "hear_bots", "handlers"};
constexpr const char* kHttpMembers[] = {"path", "methods"};
constexpr const char* kStateMembers[] = {"file", "name"};
constexpr const char* kMembers[] = {
    "name",  "description", "match", "ignore_case", "command", "http",    "function",   "channels",
    "users", "refusal",     "reply", "run",         "env",     "timeout", "max_output", "thread",
    "stop",  "help",        "hello", "sound_off",   "echo",    "state",   "files"};

std::shared_ptr<const re2::RE2> compile(const std::string& pattern, bool ignore_case,
                                        const Place& place) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_case_sensitive(!ignore_case);
  options.set_max_mem(kMaxExpressionBytes);
  auto match = std::make_shared<const re2::RE2>(pattern, options);
  if (!match->ok()) throw place.error(fmt::format("no regular expression: {}", match->error()));
  return match;
}

int64_t bytes_of(const std::string& text, const Place& place) {
  int64_t number = 0;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = base::lower_ascii(base::trim(text.substr(digits)));
  const bool reads = base::read_number(text.substr(0, digits), number);
  int64_t factor = 0;
  if (unit.empty() || unit == "b") factor = 1;
  if (unit == "kib" || unit == "k") factor = 1 << 10;
  if (unit == "mib" || unit == "m") factor = 1 << 20;
  if (!reads || factor == 0 || number < 1 || number > (int64_t{64} << 20) / factor) {
    throw place.error("this is no size like 64KiB or 1MiB, 64 MiB at most");
  }
  return number * factor;
}

void read_limits(Handler& handler, const json::Value& item, const Place& place) {
  const std::string timeout = amount_at(item, "timeout", place);
  const bool reads = timeout.empty() || base::read_duration_ms(timeout, handler.timeout_ms);
  if (!reads || handler.timeout_ms < 1) {
    throw place.at("timeout").error("this is no time like 30s or 5m");
  }
  const std::string most = amount_at(item, "max_output", place);
  if (!most.empty())
    handler.most_output_bytes = static_cast<size_t>(bytes_of(most, place.at("max_output")));
}

void read_http(Handler& handler, const json::Value& item, const Place& place) {
  const json::Value* http = json::find(item, "http");
  const json::Object* object = json::as_object(http);
  if (object == nullptr) throw place.at("http").error("this wants a path: {path: /status}");
  refuse_unknown(*object, kHttpMembers, place.at("http"));
  handler.trigger = Trigger::http;
  handler.pattern = text_at(*http, "path", place.at("http"));
  if (!handler.pattern.starts_with('/'))
    throw place.at("http").at("path").error("a path begins with /");
  for (const char* taken : {"/healthz", "/metrics", "/slack/events", "/events-endpoint"}) {
    if (handler.pattern == taken) throw place.at("http").at("path").error("this path is taken");
  }
  handler.methods = texts_at(*http, "methods", place.at("http"));
  for (std::string& method : handler.methods) {
    for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (handler.methods.empty()) handler.methods = {"GET", "POST"};
}

// What makes it act: exactly one of match, command, http, function, or a built-in's own match.
void read_trigger(Handler& handler, const json::Value& item, const Place& place) {
  const std::string match = text_at(item, "match", place);
  const std::string command = text_at(item, "command", place);
  const std::string function = text_at(item, "function", place);
  const bool has_http = json::find(item, "http") != nullptr;
  int count = has_http ? 1 : 0;
  for (const std::string& given : {match, command, function}) count += given.empty() ? 0 : 1;
  if (count > 1) throw place.error("give one of match, command, http and function");
  if (has_http) read_http(handler, item, place);
  if (!function.empty()) handler.trigger = Trigger::function;
  if (!function.empty()) handler.pattern = function;
  if (!command.empty()) handler.trigger = Trigger::command;
  if (!command.empty()) handler.pattern = command;
  if (!command.empty() && !command.starts_with('/'))
    throw place.at("command").error("a command begins with /");
  if (command.find_first_of(" \t") != std::string::npos)
    throw place.at("command").error("a command is one word; what stands behind it is its ${text}");
  if (!match.empty()) handler.pattern = match;
  const bool has_own = handler.deed != Deed::reply && handler.deed != Deed::run;
  if (has_own && (has_http || !function.empty()))
    throw place.error("help, hello, sound_off, echo and state answer messages and commands only");
  if (handler.deed == Deed::state && count > 0)
    throw place.error("state has an expression of its own; it takes no match and no command");
  if (count == 0 && !has_own)
    throw place.error("nothing makes it act: give match, command, http or function");
  if (handler.trigger != Trigger::match) return;
  const bool ignore_case = toggle_at(item, "ignore_case", place, true);
  handler.match = compile(handler.pattern, ignore_case, place.at("match"));
}

// "NAME X is Y", "NAME X", "NAME summary", "list NAME"; what was said is told by its captures.
void read_state(Handler& handler, const json::Value& item, const Place& place) {
  const json::Value* state = json::find(item, "state");
  const json::Object* object = json::as_object(state);
  if (object == nullptr) throw place.at("state").error("this wants a file: {file: env.db}");
  refuse_unknown(*object, kStateMembers, place.at("state"));
  handler.deed = Deed::state;
  handler.board = text_at(*state, "file", place.at("state"));
  if (handler.board.empty()) throw place.at("state").error("this wants a file: {file: env.db}");
  const std::string given = text_at(*state, "name", place.at("state"));
  handler.name = given.empty() ? "env" : given;
  const std::string name = re2::RE2::QuoteMeta(handler.name);
  handler.pattern = fmt::format(
      "^(?:list (?P<list>{0})|{0} (?P<summary>summary)|{0} (?P<key>\\S+) is (?P<value>.+)|"
      "{0} (?P<shown>\\S+))$",
      name);
  handler.description = fmt::format("{0} X is Y, {0} X, {0} summary, list {0}", handler.name);
}

// What it does: exactly one of reply, run and the built-ins.
void read_deed(Handler& handler, const json::Value& item, const Place& place) {
  int count = 0;
  for (const BuiltIn& known : kBuiltIns) {
    const json::Value* value = json::find(item, known.name);
    if (value == nullptr) continue;
    if (!json::is_null(value) && !json::bool_at(item, known.name))
      throw place.at(known.name).error("this is true, or the line is left out");
    ++count;
    handler.deed = known.deed;
    handler.name = base::replace_all(known.name, "_", " ");
    handler.description = known.description;
    handler.pattern = known.pattern;
  }
  if (json::find(item, "state") != nullptr) {
    ++count;
    read_state(handler, item, place);
  }
  handler.reply = text_at(item, "reply", place);
  handler.argv = texts_at(item, "run", place);
  if (!handler.reply.empty()) ++count;
  if (!handler.argv.empty()) ++count;
  if (!handler.argv.empty()) handler.deed = Deed::run;
  if (!handler.argv.empty() && handler.argv.front().empty())
    throw place.at("run").error("the program's name is empty");
  if (count != 1)
    throw place.error(
        "give one of reply, run, help, hello, sound_off, echo and state: what it does");
}

// "$name" stands as it is; a person who writes it in a reply means "${name}".
void refuse_bare_names(const std::string& reply, const std::vector<std::string>& known,
                       const Place& place) {
  const std::string bare = base::replace_all(reply, "$$", "");
  for (const std::string& name : known) {
    const bool is_name = std::isalpha(static_cast<unsigned char>(name.front())) != 0;
    if (!is_name || bare.find("$" + name) == std::string::npos) continue;
    throw place.at("reply").error(fmt::format("write ${{{0}}} for what is captured as {0}", name));
  }
}

// Whether the next argument is code, as behind -c and -lc of shells and -e of perl, node and ruby.
bool runs_code(const std::string& option) {
  if (option == "--command" || option == "--eval") return true;
  const bool is_cluster = option.size() >= 2 && option[0] == '-' && option[1] != '-';
  return is_cluster && (option.back() == 'c' || option.back() == 'e');
}

// Every $1 and ${name} in reply and run must be something that the expression captures.
void check_captures(const Handler& handler, const Place& place) {
  std::vector<std::pair<std::string, std::string>> templates{{"reply", handler.reply}};
  for (const std::string& argument : handler.argv) templates.emplace_back("run", argument);
  std::vector<std::string> known;
  if (handler.match) known = capture_names(*handler.match);
  if (handler.trigger == Trigger::command) known = {"0", "text"};
  refuse_bare_names(handler.reply, known, place);
  if (!handler.argv.empty() && !captures_in(handler.argv.front()).empty()) {
    throw place.at("run").error(
        "a message can't choose the program: no captures in the first item");
  }
  const bool is_line = handler.argv.size() == 1 && handler.argv[0].find(' ') != std::string::npos;
  if (is_line) {
    throw place.at("run").error("this is no shell: give the program and its arguments as a list");
  }
  const bool may_call = handler.reply.find("<$") != std::string::npos;
  if (may_call) {
    throw place.at("reply").error(
        "right behind < people could write what calls everybody; put the address's start there");
  }
  for (size_t i = 1; i < handler.argv.size(); ++i) {
    const bool is_script = runs_code(handler.argv[i - 1]) && !captures_in(handler.argv[i]).empty();
    if (!is_script) continue;
    throw place.at("run").error(
        fmt::format("what people write would be a part of the script behind {}; give it as a "
                    "further item, and write $$0, $$1 for it in the script",
                    base::one_line(handler.argv[i - 1])));
  }
  for (const auto& [name, text] : templates) {
    for (const std::string& capture : captures_in(text)) {
      if (std::find(known.begin(), known.end(), capture) != known.end()) continue;
      throw place.at(name).error(
          fmt::format("nothing is captured as {}; $$ is a dollar sign", base::one_line(capture)));
    }
  }
}

// An allow-list without its # and @. "" would fit every channel whose name is not known.
std::vector<std::string> names_at(const json::Value& item, const char* name, const Place& place) {
  std::vector<std::string> names = texts_at(item, name, place);
  for (std::string& text : names) {
    if (text.starts_with('#') || text.starts_with('@')) text.erase(0, 1);
    if (text.empty()) throw place.at(name).error("this holds an empty name, which fits nobody");
  }
  return names;
}

// What would have no effect: allow-lists where nothing tells who asks, what belongs to programs.
void refuse_ignored(const Handler& handler, const json::Value& item, const Place& place) {
  const bool is_heard = handler.trigger == Trigger::match || handler.trigger == Trigger::command;
  for (const char* name : {"users", "channels", "refusal", "thread", "stop"}) {
    if (is_heard || json::find(item, name) == nullptr) continue;
    throw place.at(name).error("http and function know no users and channels; this has no effect");
  }
  for (const char* name : {"env", "timeout", "max_output", "files"}) {
    if (handler.deed == Deed::run || json::find(item, name) == nullptr) continue;
    throw place.at(name).error("this has no effect without run");
  }
  const bool guards = !handler.users.empty() || !handler.channels.empty();
  if (!handler.refusal.empty() && !guards) {
    throw place.at("refusal").error("this has no effect without users or channels");
  }
  for (const std::string& name : handler.environment) {
    if (name.empty() || name.find('=') != std::string::npos) {
      throw place.at("env").error("this wants names of variables; their values are those here");
    }
  }
}

Handler read_handler(const json::Value& item, size_t number, const Place& place) {
  const json::Object* object = json::as_object(&item);
  if (object == nullptr) throw place.error("a handler is a map of names to values");
  refuse_unknown(*object, kMembers, place);
  refuse_doubles(*object, place);
  Handler handler;
  handler.name = fmt::format("handler {}", number);
  read_deed(handler, item, place);
  read_trigger(handler, item, place);
  const std::string name = text_at(item, "name", place);
  if (!name.empty()) handler.name = name;
  const std::string description = text_at(item, "description", place);
  if (!description.empty()) handler.description = description;
  handler.channels = names_at(item, "channels", place);
  handler.users = names_at(item, "users", place);
  for (std::string& user : handler.users) {
    if (!is_id(user)) user = base::lower_ascii(user);  // so no name can be taken for an ID
  }
  handler.refusal = text_at(item, "refusal", place);
  handler.environment = texts_at(item, "env", place);
  handler.files_below = text_at(item, "files", place);
  handler.in_thread = toggle_at(item, "thread", place, false);
  handler.stop = toggle_at(item, "stop", place, false);
  read_limits(handler, item, place);
  check_captures(handler, place);
  refuse_ignored(handler, item, place);
  return handler;
}

}  // namespace

Bot read_bot(const json::Value& document, const std::string& source) {
  const Place place{source, ""};
  const json::Object* object = json::as_object(&document);
  if (object == nullptr) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} describes no bot: it is no map with handlers", source));
  }
  refuse_unknown(*object, kBotMembers, place);
  Bot bot;
  bot.name = text_at(document, "name", place);
  if (bot.name.empty()) bot.name = "the bot";
  bot.hear_bots = toggle_at(document, "hear_bots", place, false);
  const json::Array* handlers = json::as_array(json::find(document, "handlers"));
  if (handlers == nullptr || handlers->empty())
    throw place.at("handlers").error("this is no list of handlers");
  for (size_t i = 0; i < handlers->size(); ++i) {
    const Place there = place.at("handlers").at(std::to_string(i));
    bot.handlers.push_back(read_handler((*handlers)[i], i + 1, there));
  }
  return bot;
}

}  // namespace slack
