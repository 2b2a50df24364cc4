#include <doctest/doctest.h>

#include <string>

#include "slack/message.hpp"
#include "slack/program_reply.hpp"

namespace {

slack::Handler some_handler() {
  slack::Handler handler;
  handler.name = "deploy";
  handler.timeout_ms = 90'000;
  handler.most_output_bytes = 1'024;
  handler.files_below = "/tmp";
  return handler;
}

slack::Reply reply_to(const std::string& output, int exit_code = 0, bool timed_out = false,
                      bool cut = false) {
  return slack::reply_of(some_handler(), {exit_code, output, timed_out, cut});
}

}  // namespace

TEST_CASE("output is text without markup") {
  struct {
    std::string output;
    std::string text;
  } const rows[] = {
      {"done", "done"},
      {"done\n", "done"},
      {"done\r\n\n\n", "done"},
      {"  two\n  lines\n", "  two\n  lines"},
      {"*a* `b` <!channel> & c", "*a* `b` &lt;!channel&gt; &amp; c"},
      {"\x1b[31mred\x1b[0m", "red"},
      {std::string("a\0b\a", 4), "ab"},
      {"10%\r100%", "10%\n100%"},
      {"\xFF\xC3\xA4", "\xEF\xBF\xBD\xC3\xA4"},
      {"", "deploy is done"},
      {"\n\n", "deploy is done"},
      {" \t ", "deploy is done"},
      {"\x1b[0m", "deploy is done"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.output);
    const auto reply = reply_to(row.output);
    CHECK(reply.text == row.text);
    CHECK(!reply.formatted);
    CHECK(reply.files.empty());
    CHECK(reply.long_output == "");
  }
}

TEST_CASE("a program that failed is told of, with what it said") {
  CHECK(reply_to("half\n", 3).text == "deploy failed (exit code 3)\nhalf");
  CHECK(reply_to("", 137).text == "deploy failed (exit code 137)");
  CHECK(reply_to("half", 137, true).text == "deploy was ended: it took longer than 90 s\nhalf");
  CHECK(reply_to("half", 0, true).text == "deploy was ended: it took longer than 90 s\nhalf");
  CHECK(reply_to("half", 0, false, true).text ==
        "deploy said more than 1024 bytes; the rest is cut\nhalf");
  CHECK(reply_to("half", 3, false, true).text == "deploy failed (exit code 3)\nhalf");
}

TEST_CASE("a time-out that is no whole number of seconds is told as it is") {
  slack::Handler handler = some_handler();
  handler.timeout_ms = 500;
  CHECK(slack::reply_of(handler, {137, "", true, false}).text ==
        "deploy was ended: it took longer than 500 ms");
}

TEST_CASE("a name of a handler does nothing in Slack") {
  slack::Handler handler = some_handler();
  handler.name = "<!here>";
  CHECK(slack::reply_of(handler, {0, "", false, false}).text == "&lt;!here&gt; is done");
  CHECK(slack::reply_of(handler, {1, "", false, false}).text ==
        "&lt;!here&gt; failed (exit code 1)");
}

TEST_CASE("more than three messages of output become a file") {
  const std::string fits(3 * slack::kMaxText, 'x');
  CHECK(reply_to(fits + "\n").text == fits);
  CHECK(reply_to(fits).long_output == "");
  const std::string ampersands(3 * slack::kMaxText / 5 + 1, '&');  // five characters each
  for (const std::string& output : {fits + "y", ampersands}) {
    const auto reply = reply_to(output + "\n");
    CHECK(reply.text == "");
    CHECK(reply.long_output == output);
  }
  const auto failed = reply_to(fits + "y", 1);
  CHECK(failed.text == "deploy failed (exit code 1)");
  CHECK(failed.long_output == fits + "y");
}

TEST_CASE("output may name files") {
  const auto reply =
      reply_to(R"( {"text": "see <b>", "files": [{"path": "/tmp/a/plot.png", "title": "Plot"},)"
               R"( {"path": "b.txt", "filename": "c.txt"}]} )");
  CHECK(reply.text == "see &lt;b&gt;");
  CHECK(!reply.formatted);
  REQUIRE(reply.files.size() == 2);
  CHECK(reply.files[0].path == "/tmp/a/plot.png");
  CHECK(reply.files[0].filename == "plot.png");
  CHECK(reply.files[0].title == "Plot");
  CHECK(reply.files[1].path == "b.txt");
  CHECK(reply.files[1].filename == "c.txt");
  CHECK(reply.files[1].title == "");
  CHECK(reply_to(R"({"files":[{"path":"a"}]})").text == "");
}

TEST_CASE("without a folder of its own a handler's output is text, whatever it names") {
  slack::Handler handler = some_handler();
  handler.files_below = "";
  const std::string output = R"({"files":[{"path":"/etc/passwd"}]})";
  const auto reply = slack::reply_of(handler, {0, output, false, false});
  CHECK(reply.text == output);
  CHECK(reply.files.empty());
}

TEST_CASE("JSON that names no files is text") {
  std::string many = R"({"files":[{"path":"a"})";
  for (int i = 0; i < 20; ++i) many += R"(,{"path":"a"})";
  for (const std::string& output :
       {std::string(R"({"text":"a"})"), std::string("{}"), std::string("{"),
        std::string(R"({"files":[]})"), std::string(R"({"files":{"path":"a"}})"),
        std::string(R"({"files":[{"path":"a"},{"filename":"b"}]})"),
        std::string(R"({"files":["a"]})"), std::string(R"({"files":[{"path":1}]})"),
        std::string(R"({"files":[{"path":"a"}]} and more)"),
        std::string(R"([{"files":[{"path":"a"}]}])"), many + "]}"}) {
    CAPTURE(output);
    CHECK(reply_to(output).text == output);
    CHECK(reply_to(output).files.empty());
  }
}

TEST_CASE("no files of a program that failed") {
  const std::string output = R"({"files":[{"path":"a"}]})";
  for (const auto& reply :
       {reply_to(output, 1), reply_to(output, 0, true), reply_to(output, 0, false, true)}) {
    CHECK(reply.files.empty());
    CHECK(reply.text.ends_with("\n" + output));
  }
}

TEST_CASE("a program gets the message as one line of JSON") {
  slack::Heard heard;
  heard.team = "T1";
  heard.channel = "C1";
  heard.user = "U1";
  heard.ts = "1.2";
  heard.thread_ts = "1.1";
  heard.text = "a\n\"b\" \xFF";
  slack::Task task;
  task.captures = {{"0", "a"}, {"what", "<b>"}};
  CHECK(slack::program_input(heard, task) ==
        R"({"text":"a\n\"b\" )"
        "\xEF\xBF\xBD"
        R"(","user":"U1","channel":"C1","ts":"1.2","thread_ts":"1.1","team":"T1","command":"",)"
        R"("captures":{"0":"a","what":"<b>"}})"
        "\n");
}
