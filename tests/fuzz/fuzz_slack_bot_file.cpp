// The file that describes a bot (YAML), with what people say to it and what its programs answer.
// Holds: tasks are of the file's handlers, arguments stay as many as they are, no capture makes an
// option, answers are escaped.
#include "fuzz.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "slack/bot.hpp"
#include "slack/captures.hpp"
#include "slack/mentions.hpp"
#include "slack/program_reply.hpp"

namespace {

slack::Heard heard(const std::string& text, const std::string& command) {
  slack::Heard heard;
  heard.team = "T1";
  heard.channel = "C0123ABCD";
  heard.user = "U0123ABCD";
  heard.text = text;
  heard.ts = command.empty() ? "1700000000.000100" : "";
  heard.command = command;
  heard.is_mention = true;
  return heard;
}

void check_task(const slack::Bot& bot, const slack::Heard& said, const slack::Task& task) {
  const slack::Handler* first = bot.handlers.data();
  const bool is_known = task.handler >= first && task.handler < first + bot.handlers.size();
  fuzz::expect(is_known, "a task has its handler");
  fuzz::expect(task.argv.empty() || task.argv.size() == task.handler->argv.size(),
               "arguments stay as many");
  for (size_t i = 0; i < task.argv.size(); ++i) {
    const bool is_fixed = slack::captures_in(task.handler->argv[i]).empty();
    const bool is_same = slack::filled(task.handler->argv[i], {}, nullptr) == task.argv[i];
    fuzz::expect(!is_fixed || is_same, "what is no capture stays", task.argv[i]);
  }
  const std::string input = slack::program_input(said, task);
  fuzz::expect(json::is_json(input), "a program is told JSON", input);
}

void use(const slack::Bot& bot, const std::string& said) {
  const slack::Names names{[](const slack::Heard&) { return std::vector<std::string>{"ada"}; },
                           [](const slack::Heard&) { return std::string("ops"); }};
  for (const char* command : {"", "/deploy"}) {
    const slack::Heard message = heard(said, command);
    const std::vector<slack::Task> tasks = slack::tasks_for(bot, message, names);
    fuzz::expect(tasks.empty() || slack::is_for_handler(bot, message), "both ways to ask agree");
    for (const slack::Task& task : tasks) check_task(bot, message, task);
  }
}

void check_reply(const slack::Handler& handler, const std::string& output) {
  const slack::Reply reply = slack::reply_of(handler, {.exit_code = 1, .output = output});
  fuzz::expect_utf8(reply.text);
  if (!reply.formatted) fuzz::expect_harmless(reply.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  check_reply({}, text);
  slack::Handler sender;
  sender.files_below = "/tmp";
  check_reply(sender, text);
  json::Value document;
  if (!fuzz::takes([&] { document = json::parse_yaml(text, "bot.yaml"); })) return 0;
  fuzz::takes([&] { slack::read_mentions(document, "users.yml"); });
  slack::Bot bot;
  if (!fuzz::takes([&] { bot = slack::read_bot(document, "bot.yaml"); })) return 0;
  fuzz::expect(!bot.handlers.empty(), "a bot has handlers");
  const size_t last_line = text.find_last_of('\n', text.size() - std::min<size_t>(text.size(), 2));
  for (const std::string& said : {std::string("deploy prod"), std::string("help"), std::string(),
                                  text.substr(std::min(last_line + 1, text.size()))}) {
    use(bot, said);
  }
  for (const slack::Handler& handler : bot.handlers) slack::task_of(handler);
  return 0;
}
