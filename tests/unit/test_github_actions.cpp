#include <doctest/doctest.h>

#include <string>

#include "github/actions.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

constexpr size_t kNowhere = std::string::npos;

}  // namespace

TEST_CASE("an annotation is one line whatever its texts hold") {
  struct {
    std::string what;
    std::string title;
    std::string message;
    std::string line;
  } const rows[] = {
      {"plain", "slack-post", "no such channel", "::error title=slack-post::no such channel\n"},
      {"no message", "t", "", "::error title=t::\n"},
      {"percent", "50%", "100%", "::error title=50%25::100%25\n"},
      {"what looks escaped already", "%0A", "%25", "::error title=%250A::%2525\n"},
      {"line breaks", "a\nb", "c\r\nd\n", "::error title=a%0Ab::c%0D%0Ad%0A\n"},
      {"colon and comma of a title", "a:b,c", "d:e,f", "::error title=a%3Ab%2Cc::d:e,f\n"},
      {"a title that ends the properties", "x::y", "z", "::error title=x%3A%3Ay::z\n"},
      {"a title with another property", "x,file=/etc/passwd", "z",
       "::error title=x%2Cfile=/etc/passwd::z\n"},
      {"a command in the message", "t", "a\n::add-mask::b", "::error title=t::a%0A::add-mask::b\n"},
      {"letters beyond ASCII", "\xC3\xA4", "\xE2\x82\xAC",
       "::error title=\xC3\xA4::\xE2\x82\xAC\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(github::annotation("error", row.title, row.message) == row.line);
  }
}

TEST_CASE("an annotation has the level it is given") {
  CHECK(github::annotation("warning", "t", "m") == "::warning title=t::m\n");
  CHECK(github::annotation("notice", "t", "m") == "::notice title=t::m\n");
}

TEST_CASE("every line of a secret is masked") {
  struct {
    std::string what;
    std::string secret;
    std::string commands;
  } const rows[] = {
      {"one line", "xoxb-1-abc", "::add-mask::xoxb-1-abc\n"},
      {"several lines", "one\ntwo\nthree", "::add-mask::one\n::add-mask::two\n::add-mask::three\n"},
      {"a line break at the end", "one\n", "::add-mask::one\n"},
      {"Windows line breaks", "one\r\ntwo\r\n", "::add-mask::one\n::add-mask::two\n"},
      {"empty lines", "\n\none\n \n\ntwo\n", "::add-mask::one\n::add-mask::two\n"},
      {"nothing", "", ""},
      {"white space only", " \n\t\r\n", ""},
      {"percent", "a%0Ab", "::add-mask::a%250Ab\n"},
      {"a carriage return inside", "a\rb", "::add-mask::a%0Db\n"},
      {"spaces inside", "two words", "::add-mask::two words\n"},
      {"a command", "::stop-commands::x", "::add-mask::::stop-commands::x\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(github::mask(row.secret) == row.commands);
  }
}

TEST_CASE("text of several lines: the runner finds no command in it, the rest stays") {
  struct {
    std::string what;
    std::string text;
    std::string safe;
  } const rows[] = {
      {"nothing", "", ""},
      {"plain lines", "a\nb: c::d\n", "a\nb: c::d\n"},
      {"at the start", "::error::x", ": :error::x"},
      {"on a later line", "a\n::set-output name=x::y\n", "a\n: :set-output name=x::y\n"},
      {"behind blanks", "\n  \t::error::x\n", "\n  \t: :error::x\n"},
      {"behind white space that is not ASCII", "\xC2\xA0\xE3\x80\x80::error::x",
       "\xC2\xA0\xE3\x80\x80: :error::x"},
      {"behind a carriage return", "a\r::error::x", "a\n: :error::x"},
      {"behind a sign", "+::error::x", "+::error::x"},
      {"the old form", "a ##[error]b\n##[##[", "a ## [error]b\n## [## ["},
      {"its own end mark", "::stop-commands::x\n::x::", ": :stop-commands::x\n: :x::"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(github::unobeyed(row.text) == row.safe);
  }
}

TEST_CASE("JSON means the same afterwards") {
  const std::string json = R"({"a":"##[error]x","b":"::error::"})";
  const std::string safe = github::unobeyed_json(json);
  CHECK(safe.find("##[") == std::string::npos);
  CHECK(json::write(json::parse(safe, "")) == json);
}

TEST_CASE("a log line holds no command of the old form") {
  struct {
    std::string what;
    std::string text;
    std::string line;
  } const rows[] = {
      {"plain", "page: Home, 50%", "page: Home, 50%"},
      {"alone", "##[error]x", "## [error]x"},
      {"behind text", "see ##[group]x", "see ## [group]x"},
      {"several", "##[##[##[", "## [## [## ["},
      {"more signs", "###[[x", "### [[x"},
      {"many signs", "#####[x", "##### [x"},
      {"half of it", "#[x] ## [y] ##", "#[x] ## [y] ##"},
      {"put together by what is dropped", "#\x01#\x7F[error]x", "## [error]x"},
      {"put together by a direction mark", "##\xE2\x80\xAE[error]x", "## [error]x"},
      {"over two lines", "##\n[error]x", "## [error]x"},
      {"line breaks", "a\n::error::b\r\nc", "a ::error::b  c"},
      {"colour", "\x1B[31m##[error]x", "[31m## [error]x"},
      {"invalid UTF-8", "##\xFF[x", "##\xEF\xBF\xBD[x"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(github::log_line(row.text) == row.line);
  }
}

TEST_CASE("no mixture of the signs makes a command of the old form") {
  const std::string signs[] = {"#", "[", "\x01", "a"};
  for (size_t mixture = 0; mixture < 4096; ++mixture) {
    std::string text;
    for (size_t rest = mixture, i = 0; i < 6; ++i, rest /= 4) text += signs[rest % 4];
    CAPTURE(text);
    const std::string line = github::log_line(text);
    if (line.find("##[") != kNowhere || line.find('\n') != kNowhere) FAIL(line);
  }
}

TEST_CASE("an output stands between its delimiters") {
  struct {
    std::string what;
    std::string value;
    std::string lines;
  } const rows[] = {
      {"one line", "v", "name<<D3LIM\nv\nD3LIM\n"},
      {"nothing", "", "name<<D3LIM\n\nD3LIM\n"},
      {"several lines", "a\nb", "name<<D3LIM\na\nb\nD3LIM\n"},
      {"a line break at the end is kept", "a\n", "name<<D3LIM\na\n\nD3LIM\n"},
      {"nothing is escaped", "100% a=b, c:d << e", "name<<D3LIM\n100% a=b, c:d << e\nD3LIM\n"},
      {"what looks like another output", "a\nother=b\nother<<X",
       "name<<D3LIM\na\nother=b\nother<<X\nD3LIM\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(github::output("name", row.value, "D3LIM") == row.lines);
  }
}
