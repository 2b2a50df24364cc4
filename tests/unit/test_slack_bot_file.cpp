#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/read.hpp"
#include "slack/bot.hpp"

namespace {

using Texts = std::vector<std::string>;
using Deed = slack::Handler::Deed;
using Trigger = slack::Handler::Trigger;

slack::Bot bot_of(const std::string& yaml) {
  return slack::read_bot(json::parse_yaml(yaml, "bot.yaml"), "bot.yaml");
}

// The only handler of a file.
slack::Handler handler_of(const std::string& members) {
  return bot_of("handlers: [{" + members + "}]").handlers.at(0);
}

// What the error says; "" when there is none.
std::string error_of(const std::string& yaml) {
  try {
    static_cast<void>(bot_of(yaml));
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
  return "";
}

// The same for the second handler of a file, as its own line.
std::string handler_error(const std::string& members) {
  return error_of("handlers: [{help: true}, {" + members + "}]");
}

}  // namespace

TEST_CASE("a handler with all that it can have") {
  const slack::Bot bot = bot_of(R"(
name: wheatley
hear_bots: true
handlers:
- match: '^deploy (?P<what>\w+)$'
  name: deploy
  description: deploy WHAT
  ignore_case: false
  channels: ["#ops", C0123ABCD]
  users: ["@Ada", Eve@X.example]
  refusal: no
  run: [./deploy.sh, "$1", "${what}"]
  env: [HOME, TOKEN]
  timeout: 1.5s
  max_output: 64KiB
  thread: true
  stop: true
)");
  CHECK(bot.name == "wheatley");
  CHECK(bot.hear_bots);
  REQUIRE(bot.handlers.size() == 1);
  const slack::Handler& handler = bot.handlers.front();
  CHECK(handler.trigger == Trigger::match);
  CHECK(handler.deed == Deed::run);
  CHECK(handler.name == "deploy");
  CHECK(handler.description == "deploy WHAT");
  CHECK(handler.pattern == "^deploy (?P<what>\\w+)$");
  CHECK(handler.match != nullptr);
  CHECK(handler.channels == Texts{"ops", "C0123ABCD"});
  CHECK(handler.users == Texts{"ada", "eve@x.example"});
  CHECK(handler.refusal == "no");
  CHECK(handler.argv == Texts{"./deploy.sh", "$1", "${what}"});
  CHECK(handler.environment == Texts{"HOME", "TOKEN"});
  CHECK(handler.timeout_ms == 1'500);
  CHECK(handler.most_output_bytes == 65'536);
  CHECK(handler.in_thread);
  CHECK(handler.stop);
}

TEST_CASE("what a file need not say") {
  const slack::Bot bot = bot_of("handlers: [{match: a, reply: b}, {command: /c, run: d}]");
  CHECK(bot.name == "the bot");
  CHECK(!bot.hear_bots);
  const slack::Handler& first = bot.handlers.at(0);
  CHECK(first.name == "handler 1");
  CHECK(first.description == "");
  CHECK(first.channels.empty());
  CHECK(first.users.empty());
  CHECK(first.environment.empty());
  CHECK(first.timeout_ms == 60'000);
  CHECK(first.most_output_bytes == 1 << 20);
  CHECK(!first.in_thread);
  CHECK(!first.stop);
  CHECK(bot.handlers.at(1).name == "handler 2");
  CHECK(bot.handlers.at(1).trigger == Trigger::command);
  CHECK(bot.handlers.at(1).pattern == "/c");
  CHECK(bot.handlers.at(1).match == nullptr);
  CHECK(bot.handlers.at(1).argv == Texts{"d"});
}

TEST_CASE("paths and functions") {
  const slack::Handler path = handler_of("http: {path: /status}, reply: ok");
  CHECK(path.trigger == Trigger::http);
  CHECK(path.pattern == "/status");
  CHECK(path.methods == Texts{"GET", "POST"});
  CHECK(handler_of("http: {path: /a, methods: PUT}, reply: ok").methods == Texts{"PUT"});
  CHECK(handler_of("http: {path: /a, methods: [get, Head]}, reply: ok").methods ==
        Texts{"GET", "HEAD"});
  const slack::Handler function = handler_of("function: tick, run: [p]");
  CHECK(function.trigger == Trigger::function);
  CHECK(function.pattern == "tick");
}

TEST_CASE("built-in handlers need no trigger, and take one") {
  struct {
    std::string members;
    Deed deed;
    std::string name;
  } const rows[] = {
      {"help: true", Deed::help, "help"},
      {"hello: true", Deed::hello, "hello"},
      {"sound_off: true", Deed::sound_off, "sound off"},
      {"echo: true", Deed::echo, "echo"},
      {"help: ~", Deed::help, "help"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.members);
    const slack::Handler handler = handler_of(row.members);
    CHECK(handler.deed == row.deed);
    CHECK(handler.name == row.name);
    CHECK(handler.trigger == Trigger::match);
    CHECK(handler.match != nullptr);
    CHECK(handler.description != "");
    CHECK(handler_of(row.members + ", match: 'x'").pattern == "x");
    CHECK(handler_of(row.members + ", command: /x").trigger == Trigger::command);
    CHECK(handler_of(row.members + ", name: other").name == "other");
  }
}

TEST_CASE("sizes of output") {
  struct {
    std::string size;
    size_t bytes;
  } const rows[] = {
      {"'1'", 1},         {"100b", 100},       {"2k", 2'048},        {"2KiB", 2'048},
      {"1 MiB", 1 << 20}, {"64MiB", 64 << 20}, {"65536K", 64 << 20}, {"'67108864'", 64 << 20},
  };
  for (const auto& row : rows) {
    CAPTURE(row.size);
    CHECK(handler_of("match: a, run: p, max_output: " + row.size).most_output_bytes == row.bytes);
  }
  for (const std::string size : {"0", "0k", "65MiB", "67108865b", "-1k", "1.5MiB", "1GiB", "MiB",
                                 "1 k b", "9223372036854775807k", "99999999999999999999"}) {
    CAPTURE(size);
    CHECK(handler_error("match: a, run: p, max_output: '" + size + "'").find("max_output: ") !=
          std::string::npos);
  }
}

TEST_CASE("errors of the file as a whole, with their place") {
  struct {
    std::string yaml;
    std::string error;
  } const rows[] = {
      {"", "bot.yaml describes no bot: it is no map with handlers"},
      {"[]", "bot.yaml describes no bot: it is no map with handlers"},
      {"x", "bot.yaml describes no bot: it is no map with handlers"},
      {"{}", "bot.yaml, at /handlers: this is no list of handlers"},
      {"handlers:", "bot.yaml, at /handlers: this is no list of handlers"},
      {"handlers: []", "bot.yaml, at /handlers: this is no list of handlers"},
      {"handlers: {match: a}", "bot.yaml, at /handlers: this is no list of handlers"},
      {"handler: []", "bot.yaml, at /handler: this name is not known; did you mean handlers?"},
      {"zzzz: 1", "bot.yaml, at /zzzz: this name is not known"},
      {"{\"a\\nb\": 1}", "bot.yaml, at /a b: this name is not known"},
      {"name: 1", "bot.yaml, at /name: this is no text"},
      {"name: ''", "bot.yaml, at /name: this is no text"},
      {"hear_bots: yes", "bot.yaml, at /hear_bots: this is neither true nor false"},
      {"handlers: [x]", "bot.yaml, at /handlers/0: a handler is a map of names to values"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.yaml);
    CHECK(error_of(row.yaml) == row.error);
  }
}

TEST_CASE("errors of a handler, with their place") {
  const std::string nothing =
      ": give one of reply, run, help, hello, sound_off, echo and state: what it does";
  struct {
    std::string members;
    std::string error;  // behind "bot.yaml, at /handlers/1"
  } const rows[] = {
      {"", nothing},
      {"match: a", nothing},
      {"match: a, reply: b, run: [c]", nothing},
      {"match: a, reply: b, help: true", nothing},
      {"help: true, echo: true", nothing},
      {"reply: b", ": nothing makes it act: give match, command, http or function"},
      {"run: b", ": nothing makes it act: give match, command, http or function"},
      {"match: a, command: /b, reply: c", ": give one of match, command, http and function"},
      {"http: {path: /a}, function: b, reply: c",
       ": give one of match, command, http and function"},
      {"matches: a, reply: b", "/matches: this name is not known; did you mean match?"},
      {"qqqq: a, reply: b", "/qqqq: this name is not known"},
      {"match: 1, reply: b", "/match: this is no text"},
      {"match: '', reply: b", "/match: this is no text"},
      {"match: [a], reply: b", "/match: this is no text"},
      {"match: a, ignore_case: 1, reply: b", "/ignore_case: this is neither true nor false"},
      {"match: '(', reply: b", "/match: no regular expression: missing ): ("},
      {"match: '(?=a)', reply: b", "/match: no regular expression: invalid perl operator: (?="},
      {"match: '(a)\\1', reply: b", "/match: no regular expression: invalid escape sequence: \\1"},
      {"match: '((a{100}){100}){100}', reply: b",
       "/match: no regular expression: invalid repetition size: {100}"},
      {"match: '(\\pL{100}){10}', reply: b",
       "/match: no regular expression: pattern too large - compile failed"},
      {"command: deploy, reply: b", "/command: a command begins with /"},
      {"http: /a, reply: b", "/http: this wants a path: {path: /status}"},
      {"http: {}, reply: b", "/http/path: a path begins with /"},
      {"http: {path: a}, reply: b", "/http/path: a path begins with /"},
      {"http: {path: 1}, reply: b", "/http/path: this is no text"},
      {"http: {pat: /a}, reply: b", "/http/pat: this name is not known; did you mean path?"},
      {"http: {path: /a, methods: []}, reply: b", "/http/methods: this is no list of texts"},
      {"http: {path: /a, methods: {}}, reply: b", "/http/methods: this is no list of texts"},
      {"match: a, reply: 1", "/reply: this is no text"},
      {"match: a, reply: ''", "/reply: this is no text"},
      {"match: a, run: []", "/run: this is no list of texts"},
      {"match: a, run: 1", "/run: this is no list of texts"},
      {"match: a, run: ''", "/run: the program's name is empty"},
      {"match: a, run: ['', b]", "/run: the program's name is empty"},
      {"match: a, run: [seq, 1]",
       "/run: this list holds something that is no text; put it in quotes"},
      {"match: a, run: [$0]",
       "/run: a message can't choose the program: no captures in the first item"},
      {"match: (a), run: ['./x-$1.sh', b]",
       "/run: a message can't choose the program: no captures in the first item"},
      {"match: (a), run: ['./${1}']",
       "/run: a message can't choose the program: no captures in the first item"},
      {"match: (a), run: [b, $2]", "/run: nothing is captured as 2; $$ is a dollar sign"},
      {"match: (a), reply: '$10'", "/reply: nothing is captured as 10; $$ is a dollar sign"},
      {"match: a, reply: '${b}'", "/reply: nothing is captured as b; $$ is a dollar sign"},
      {"match: a, reply: '${}'", "/reply: nothing is captured as ; $$ is a dollar sign"},
      {"match: '(?P<b>a)', reply: $b!", "/reply: write ${b} for what is captured as b"},
      {"command: /a, reply: $text", "/reply: write ${text} for what is captured as text"},
      {"command: /a, reply: $1", "/reply: nothing is captured as 1; $$ is a dollar sign"},
      {"http: {path: /a}, run: [b, $0]", "/run: nothing is captured as 0; $$ is a dollar sign"},
      {"function: a, reply: '${text}'", "/reply: nothing is captured as text; $$ is a dollar sign"},
      {"match: a, reply: b, name: 1", "/name: this is no text"},
      {"match: a, reply: b, description: ''", "/description: this is no text"},
      {"match: a, reply: b, refusal: []", "/refusal: this is no text"},
      {"match: a, reply: b, users: []", "/users: this is no list of texts"},
      {"match: a, reply: b, users: ~", "/users: this is no list of texts"},
      {"match: a, reply: b, users: [7]",
       "/users: this list holds something that is no text; put it in quotes"},
      {"match: a, reply: b, users: ''", "/users: this holds an empty name, which fits nobody"},
      {"match: a, reply: b, users: [ada, '@']",
       "/users: this holds an empty name, which fits nobody"},
      {"match: a, reply: b, channels: '#'",
       "/channels: this holds an empty name, which fits nobody"},
      {"match: a, reply: b, channels: [ops, '']",
       "/channels: this holds an empty name, which fits nobody"},
      {"match: a, reply: b, channels: {}", "/channels: this is no list of texts"},
      {"match: a, reply: b, env: {}", "/env: this is no list of texts"},
      {"match: a, reply: b, thread: 1", "/thread: this is neither true nor false"},
      {"match: a, reply: b, stop: 'true'", "/stop: this is neither true nor false"},
      {"match: a, run: b, timeout: 30 years", "/timeout: this is no time like 30s or 5m"},
      {"match: a, run: b, timeout: -1s", "/timeout: this is no time like 30s or 5m"},
      {"match: a, run: b, timeout: 0s", "/timeout: this is no time like 30s or 5m"},
      {"match: a, run: b, timeout: 25h", "/timeout: this is no time like 30s or 5m"},
      {"match: a, run: b, max_output: 1GiB",
       "/max_output: this is no size like 64KiB or 1MiB, 64 MiB at most"},
      {"state: true", "/state: this wants a file: {file: env.db}"},
      {"state: {}", "/state: this wants a file: {file: env.db}"},
      {"state: {file: 1}", "/state/file: this is no text"},
      {"state: {files: a}", "/state/files: this name is not known; did you mean file?"},
      {"state: {file: a.db}, help: true", nothing},
      {"help: false", "/help: this is true, or the line is left out"},
      {"match: a, echo: 'text'", "/echo: this is true, or the line is left out"},
      {"hello: true, http: {path: /a}",
       ": help, hello, sound_off, echo and state answer messages and commands only"},
      {"echo: true, function: f",
       ": help, hello, sound_off, echo and state answer messages and commands only"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.members);
    CHECK(handler_error(row.members) == "bot.yaml, at /handlers/1" + row.error);
  }
}

TEST_CASE("what looks like an error and is none") {
  for (const std::string members : {
           "match: '(?P<b>a)', reply: '$$b'",       // a dollar sign and a b
           "match: '(?P<b>a)', reply: '${b} $$b'",  //
           "match: '(?P<b>a)', run: [sh, $b]",      // a variable of the program's own
           "match: a, reply: '5$'",                 //
           "match: a, reply: '${'",                 //
           "match: a, run: [b, '']",                //
           "match: a, run: [b, '1']",               //
           "match: a, reply: b, stop: false",       //
           "match: a, run: ['$$0']",                //
       }) {
    CAPTURE(members);
    CHECK(handler_error(members) == "");
  }
}
