#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/text.hpp"
#include "json/read.hpp"
#include "slack/bot.hpp"

namespace {

using Texts = std::vector<std::string>;

slack::Bot bot_of(const std::string& yaml) {
  return slack::read_bot(json::parse_yaml(yaml, "bot.yaml"), "bot.yaml");
}

slack::Heard heard_of(const std::string& text) {
  slack::Heard heard;
  heard.channel = "C1";
  heard.user = "U0000000A";
  heard.ts = "1.2";
  heard.text = text;
  return heard;
}

slack::Heard command_of(const std::string& command, const std::string& text) {
  slack::Heard heard = heard_of(text);
  heard.command = command;
  heard.channel_name = "ops";
  heard.user_name = "ada";
  return heard;
}

// U0000000A is ada, the channel's name is what the message says.
slack::Names some_names() {
  return {[](const slack::Heard& heard) {
            return heard.user == "U0000000A" ? Texts{"ada", "ada@x.example"} : Texts{"eve"};
          },
          [](const slack::Heard& heard) { return heard.channel_name; }};
}

std::vector<slack::Task> tasks_of(const std::string& yaml, const slack::Heard& heard) {
  static std::vector<slack::Bot> kept;  // tasks point into their bot
  kept.reserve(1'000);
  kept.push_back(bot_of(yaml));
  return slack::tasks_for(kept.back(), heard, some_names());
}

// The texts of all answers, or the programs' arguments in brackets.
Texts answers(const std::string& yaml, const slack::Heard& heard) {
  Texts texts;
  for (const slack::Task& task : tasks_of(yaml, heard)) {
    const std::string program = task.argv.empty() ? "" : "[" + base::join(task.argv, "][") + "]";
    texts.push_back((task.refused ? "refused: " : "") + task.text + program);
  }
  return texts;
}

std::string answer(const std::string& yaml, const std::string& text) {
  return base::join(answers(yaml, heard_of(text)), " | ");
}

// The arguments of a program whose list in the file is `run`, when `capture` is put into it.
std::string arguments(const std::string& run, const std::string& capture) {
  return answer("handlers: [{match: '(?s)^go (.*)$', run: " + run + "}]", "go " + capture);
}

constexpr const char* kNoDash = "refused: no: what I am to pass on may not begin with a dash";

}  // namespace

// --- What fits ---

TEST_CASE("a match is found anywhere, in any case, unless the file says otherwise") {
  struct {
    std::string handler;
    std::string text;
    bool fits;
  } const rows[] = {
      {"match: rain", "will it RAIN?", true},
      {"match: ^rain$", "rain?", false},
      {"match: '^rain$'", "Rain", true},
      {"match: rain, ignore_case: false", "Rain", false},
      {"match: rain, ignore_case: false", "train", true},
      {"match: '\xC3\x84rger'", "\xC3\xA4rger", true},
      {"match: '^$'", "", true},
      {"match: '.'", "", false},
      {"match: rain", "", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.handler);
    CAPTURE(row.text);
    CHECK(answer("handlers: [{" + row.handler + ", reply: y}]", row.text) == (row.fits ? "y" : ""));
  }
}

TEST_CASE("a command fits its own handler, and no match") {
  const std::string bot =
      "handlers: [{match: '.*', reply: match}, {command: /deploy, reply: 'c:$0:${text}'},"
      "{http: {path: /deploy}, reply: http}, {function: deploy, reply: function}]";
  CHECK(answers(bot, command_of("/deploy", "web")) == Texts{"c:web:web"});
  CHECK(answers(bot, command_of("/deploy", "")) == Texts{"c::"});
  CHECK(answers(bot, command_of("/Deploy", "web")).empty());
  CHECK(answers(bot, command_of("/deploy2", "web")).empty());
  CHECK(answers(bot, command_of("deploy", "web")).empty());
  CHECK(answers(bot, heard_of("/deploy web")) == Texts{"match"});
}

TEST_CASE("all handlers that fit act, in order, up to one that says stop") {
  const std::string bot =
      "handlers: [{match: a, reply: '1'}, {match: b, reply: '2', stop: true},"
      "{match: a, reply: '3'}, {match: c, users: [eve], reply: '4', stop: true},"
      "{match: c, reply: '5'}]";
  CHECK(answer(bot, "a") == "1 | 3");
  CHECK(answer(bot, "ab") == "1 | 2");
  CHECK(answer(bot, "c") == "");  // stop holds for who is not allowed too
  CHECK(answer(bot, "d") == "");
}

// --- Replies ---

TEST_CASE("captures in replies do nothing in Slack") {
  const std::string bot = "handlers: [{match: '(?s)^say (.*)$', reply: '*($1)* <!here> `$1`'}]";
  CHECK(answer(bot, "say x") == "*(x)* <!here> `x`");
  CHECK(answer(bot, "say <!channel> & <@U1>") ==
        "*(&lt;!channel&gt; &amp; &lt;@U1&gt;)* <!here> "
        "`&lt;!channel&gt; &amp; &lt;@U1&gt;`");
  CHECK(answer(bot, "say `x`") == "*(ˋxˋ)* <!here> `ˋxˋ`");
  CHECK(answer(bot, "say a\nb\x1b") == "*(a\nb)* <!here> `a\nb`");
  CHECK(answer(bot, "say $1 ${1}") == "*($1 ${1})* <!here> `$1 ${1}`");
}

TEST_CASE("dollars, names and groups that took no part") {
  const std::string bot =
      "handlers: [{match: '^(?P<what>\\w+)( to (\\w+))?$', reply: '${what}$3|$$1|$$|5$|$0'}]";
  CHECK(answer(bot, "web") == "web|$1|$|5$|web");
  CHECK(answer(bot, "web to prod") == "webprod|$1|$|5$|web to prod");
}

TEST_CASE("the built-in handlers") {
  const std::string bot =
      "name: w<e>\nhandlers: [{hello: true}, {sound_off: true}, {echo: true}, {match: x, name: "
      "'<!here>', reply: y}, {match: z, reply: y}, {command: /say, echo: true}]";
  CHECK(answer(bot, "Hi there") == "w&lt;e&gt; is alive and well");
  CHECK(answer(bot, "hit") == "");
  CHECK(answer(bot, "sound off!") ==
        "hello reporting for duty\nsound off reporting for duty\necho reporting for duty\n"
        "&lt;!here&gt; reporting for duty\nhandler 5 reporting for duty\necho reporting for duty");
  CHECK(answer(bot, "echo <!here> a") == "&lt;!here&gt; a");
  CHECK(answer(bot, "ECHO ") == "");
  CHECK(answers(bot, command_of("/say", "it & so")) == Texts{"it &amp; so"});
  CHECK(answer("handlers: [{echo: true, match: 'a.*'}]", "xaby") == "xaby");
  CHECK(answer("handlers: [{hello: true}]", "hey") == "the bot is alive and well");
}

TEST_CASE("help lists what this user may do here") {
  const std::string bot =
      "handlers: [{help: true}, {match: '^<x>$', reply: y}, {command: /go, description: go there, "
      "reply: y}, {match: '^e$', users: [eve], description: for eve, reply: y},"
      "{match: o, channels: [C2], description: elsewhere, reply: y},"
      "{http: {path: /p}, reply: y}, {function: f, reply: y}, {echo: true, description: again}]";
  const std::string common = "• help: this list\n• ^&lt;x&gt;$\n• go there";
  for (const char* text : {"help", "Help?", "HELP!..."}) {
    CAPTURE(text);
    CHECK(answer(bot, text) == common + "\n• again");
  }
  CHECK(answer(bot, "help me") == "");
  slack::Heard heard = heard_of("help");
  heard.user = "U2";
  heard.channel = "C2";
  CHECK(answers(bot, heard) == Texts{common + "\n• for eve\n• elsewhere\n• again"});
}

// --- Who may ---

TEST_CASE("allow-lists of users hold IDs, names and addresses") {
  struct {
    std::string users;
    std::string user;  // U0000000A is ada
    bool may;
  } const rows[] = {
      {"[ada]", "U0000000A", true},
      {"ada", "U0000000A", true},
      {"['@ADA']", "U0000000A", true},
      {"[Ada@X.example]", "U0000000A", true},
      {"[U0000000A]", "U0000000A", true},
      {"[eve, U0000000A]", "U0000000A", true},
      {"[ada]", "U0000000B", false},
      {"[U0000000B]", "U0000000A", false},
      {"[U0000000]", "U0000000A", false},
      {"[ad, adas]", "U0000000A", false},
      {"[ada]", "", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.users);
    CAPTURE(row.user);
    slack::Heard heard = heard_of("x");
    heard.user = row.user;
    CHECK(answers("handlers: [{match: x, reply: y, users: " + row.users + "}]", heard).empty() !=
          row.may);
  }
}

TEST_CASE("nobody gets in by calling themselves like the ID of another") {
  const slack::Bot bot = bot_of("handlers: [{match: x, reply: y, users: [U0000000A]}]");
  const slack::Names names{[](const slack::Heard&) { return Texts{"u0000000a"}; },
                           [](const slack::Heard&) { return std::string(); }};
  slack::Heard heard = heard_of("x");
  heard.user = "U0000000B";
  CHECK(slack::tasks_for(bot, heard, names).empty());
}

TEST_CASE("allow-lists of channels hold IDs and names") {
  struct {
    std::string channels;
    std::string channel;
    std::string name;
    bool may;
  } const rows[] = {
      {"['#ops']", "C1", "ops", true},   {"[ops]", "C1", "ops", true},
      {"ops", "C1", "ops", true},        {"[C1]", "C1", "", true},
      {"[dev, C1]", "C1", "ops", true},  {"[C1]", "C2", "ops", false},
      {"[dev]", "C1", "ops", false},     {"[op]", "C1", "ops", false},
      {"['#ops']", "C1", "", false},     {"[c1]", "C1", "", false},
      {"['##ops']", "C1", "ops", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.channels);
    CAPTURE(row.channel);
    slack::Heard heard = heard_of("x");
    heard.channel = row.channel;
    heard.channel_name = row.name;
    CHECK(answers("handlers: [{match: x, reply: y, channels: " + row.channels + "}]", heard)
              .empty() != row.may);
  }
}

TEST_CASE("both lists must hold; who is on neither gets the refusal, if there is one") {
  const std::string lists = "handlers: [{match: x, run: [rm], users: [ada], channels: [C1]";
  CHECK(answer(lists + "}]", "x") == "[rm]");
  slack::Heard elsewhere = heard_of("x");
  elsewhere.channel = "C2";
  slack::Heard other = heard_of("x");
  other.user = "U2";
  for (const slack::Heard& heard : {elsewhere, other}) {
    CHECK(answers(lists + "}]", heard).empty());
    CHECK(answers(lists + ", refusal: 'no <b> $1'}]", heard) == Texts{"refused: no <b> $1"});
  }
}

TEST_CASE("names are asked for only when a list needs them") {
  const slack::Bot bot = bot_of(
      "handlers: [{help: true}, {match: x, reply: y}, {match: x, reply: y, users: [U0000000A], "
      "channels: [C1]}, {match: never, reply: y, users: [ada], channels: [ops]}]");
  int asked = 0;
  const slack::Names names{[&](const slack::Heard&) {
                             ++asked;
                             return Texts{};
                           },
                           [&](const slack::Heard&) {
                             ++asked;
                             return std::string();
                           }};
  CHECK(slack::tasks_for(bot, heard_of("x"), names).size() == 2);
  CHECK(asked == 0);
}

// --- Programs ---

TEST_CASE("each argument of the file stays one argument") {
  struct {
    std::string run;
    std::string capture;
    std::string argv;
  } const rows[] = {
      {"[p, $1]", "a b; rm -rf *", "[p][a b; rm -rf *]"},
      {"[p, $1]", "$(x) `y` $HOME \"q\" 'r' \\", "[p][$(x) `y` $HOME \"q\" 'r' \\]"},
      {"[p, $1]", "a\nb", "[p][a\nb]"},
      {"[p, $1]", "", "[p][]"},
      {"[p, '', $1, '']", "x", "[p][][x][]"},
      {"[p, 'x$1y', '$1$1']", "a", "[p][xay][aa]"},
      {"[p, '$$1', '$$', '$', '$x']", "a", "[p][$1][$][$][$x]"},
      {"[p, $1]", "$1 ${1} $$", "[p][$1 ${1} $$]"},
      {"[p, $1]", "\xC3\xA4\xE2\x80\x93", "[p][\xC3\xA4\xE2\x80\x93]"},
      {"[p, $1]", "<!channel> &", "[p][<!channel> &]"},
      {"['$$1', $1]", "a", "[$1][a]"},
      {"p", "a", "[p]"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.run);
    CAPTURE(row.capture);
    CHECK(arguments(row.run, row.capture) == row.argv);
  }
}

TEST_CASE("a capture can't become an option") {
  struct {
    std::string run;
    std::string capture;
  } const rows[] = {
      {"[p, $1]", "-rf"},        {"[p, $1]", "-"},          {"[p, $1]", "--"},
      {"[p, $1]", "--help"},     {"[p, $1]", "---"},        {"[p, ok, $1]", "-x"},
      {"[p, -a, $1]", "-x"},     {"[p, --file, $1]", "-x"}, {"[p, '${1}x']", "-"},
      {"[p, '$1-x']", ""},  // nothing captured, and the dash behind it leads
      {"[p, '$1$1-']", ""},      {"[p, '-$1']", "-exec"},   {"[p, '-$1']", "-"},
      {"[p, '--$1']", "-"},      {"[p, '-$1-x']", ""},      {"[p, $1, --]", "-x"},
      {"[p, $1, --, $1]", "-x"}, {"[p, 'x--', $1]", "-x"},  {"[p, --=, $1]", "-x"},
      {"[p, '$$', $1]", "-x"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.run);
    CAPTURE(row.capture);
    CHECK(arguments(row.run, row.capture) == kNoDash);
  }
}

TEST_CASE("dashes that the file wrote, or that mean nothing, pass") {
  struct {
    std::string run;
    std::string capture;
    std::string argv;
  } const rows[] = {
      {"[p, -a, --b=c]", "-x", "[p][-a][--b=c]"},
      {"[p, '--only=$1']", "-x", "[p][--only=-x]"},
      {"[p, '-o$1']", "-x", "[p][-o-x]"},
      {"[p, '-$1']", "x", "[p][-x]"},
      {"[p, 'x$1']", "-rf", "[p][x-rf]"},
      {"[p, './$1']", "-rf", "[p][./-rf]"},
      {"[p, --, $1]", "-rf", "[p][--][-rf]"},
      {"[p, --, $1, $1]", "--", "[p][--][--][--]"},
      {"[p, $1]", "a-b --c", "[p][a-b --c]"},
      {"[p, $1]", " -x", "[p][ -x]"},
      {"[p, $1]", "\xE2\x80\x93x", "[p][\xE2\x80\x93x]"},  // an en dash is no option's
      {"[-p, $1]", "x", "[-p][x]"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.run);
    CAPTURE(row.capture);
    CHECK(arguments(row.run, row.capture) == row.argv);
  }
}

TEST_CASE("a refused program does not stop the others, and its arguments are gone") {
  const auto tasks = tasks_of("handlers: [{match: '^x (.*)', run: [p, $1]}, {match: x, reply: y}]",
                              heard_of("x -y"));
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].refused);
  CHECK(tasks[0].argv.empty());
  CHECK(tasks[0].handler->name == "handler 1");
  CHECK(tasks[0].captures.at("1") == "-y");
  CHECK(!tasks[1].refused);
  CHECK(tasks[1].text == "y");
}

TEST_CASE("a handler for http or function gives its own words, dollars undone") {
  const slack::Bot bot = bot_of(
      "handlers: [{http: {path: /p}, run: [p, '$$1', -x]}, {function: f, reply: '$$5 <b>'}]");
  const slack::Task run = slack::task_of(bot.handlers[0]);
  CHECK(run.argv == Texts{"p", "$1", "-x"});
  CHECK(run.handler == &bot.handlers[0]);
  CHECK(!run.refused);
  CHECK(slack::task_of(bot.handlers[1]).text == "$5 <b>");
}
