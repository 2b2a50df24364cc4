// Foreign text on its way to Slack, to a terminal and to the runner's log. Holds: it is escaped,
// shows as it was, calls nobody, is UTF-8, and keeps its limits.
#include "fuzz.hpp"
#include "github/actions.hpp"
#include "slack/event.hpp"
#include "slack/mrkdwn.hpp"

namespace {

void check_escapes(const std::string& text) {
  const std::string line = slack::escape(text);
  fuzz::expect_harmless(line);
  fuzz::expect(line.find_first_of("<>`\n") == std::string::npos, "a line has no markup", line);
  fuzz::expect(slack::plain_text(line) == base::replace_all(base::one_line(text), "`", "ˋ"),
               "a line shows as it was", line);
  fuzz::expect_harmless(slack::escape_lines(text));
  const std::string plain = slack::escape_plain(text);
  fuzz::expect_harmless(plain);
  fuzz::expect(plain.find_first_of("<>\r\x1b") == std::string::npos, "plain text does nothing",
               plain);
  fuzz::expect(slack::typed_text(plain) == slack::plain_text(plain), "both undo the escapes",
               plain);
  fuzz::expect_harmless(slack::link(text, "label"));
  fuzz::expect_harmless(slack::link("https://x.example/?a=b&c", text));
}

void check_broadcasts(const std::string& text) {
  const std::string safe = slack::without_broadcasts(text, true);
  for (const char* word : {"@channel", "@here", "@everyone", "@group", "<!channel", "<!subteam"}) {
    fuzz::expect(base::lower_ascii(safe).find(word) == std::string::npos, "it calls nobody", safe);
  }
  fuzz::expect(slack::without_broadcasts(safe, true) == safe, "twice changes nothing", safe);
}

void check_utf8(const std::string& text) {
  const std::string repaired = base::repair_utf8(text);
  fuzz::expect_utf8(repaired);
  fuzz::expect(base::first_invalid_utf8(text).has_value() == (repaired != text),
               "only what is broken is repaired", text);
  fuzz::expect(base::utf16_length(text) == base::utf16_length(repaired), "lengths are the same");
  for (const size_t most : {1U, 2U, 7U, 200U}) {
    const std::string shorter = base::shorten(text, most);
    fuzz::expect_utf8(shorter);
    fuzz::expect(base::utf16_length(shorter) <= most, "a limit is kept", shorter);
  }
  const std::string line = base::one_line(text);
  fuzz::expect_utf8(line);
  fuzz::expect(base::one_line(line) == line, "a line stays as it is", line);
  for (size_t at = 0; at < line.size();) {
    fuzz::expect(!base::is_unsafe_to_show(base::next_code_point(line, at)), "a line is safe", line);
  }
}

// The runner obeys "::" where a line begins, and "##[" anywhere.
void check_log(const std::string& text) {
  const std::string line = github::log_line(text);
  fuzz::expect(line.find("##[") == std::string::npos && line.find_first_of("\r\n") == line.npos,
               "a log line does nothing", line);
  const std::string unobeyed = github::unobeyed(text);
  fuzz::expect(!unobeyed.starts_with("::") && unobeyed.find("\n::") == std::string::npos &&
                   unobeyed.find("##[") == std::string::npos &&
                   unobeyed.find('\r') == std::string::npos,
               "the runner obeys nothing", unobeyed);
  const std::string note = github::annotation("error", "t", github::log_line(text));
  fuzz::expect(note.find('\n') == note.size() - 1, "an annotation is one line", note);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  check_escapes(text);
  check_broadcasts(text);
  check_utf8(text);
  check_log(text);
  slack::plain_text(text);
  fuzz::expect(slack::typed_text(text).find('\0') == std::string::npos, "no NUL is typed");
  base::wrap(text, 2, 40);
  base::nearest(text.substr(0, 60), {"payload", "payload-file-path", "username"});
  int64_t ms = 0;
  if (base::read_duration_ms(text, ms)) fuzz::expect(ms >= 0 && ms <= 86'400'000, "a day at most");
  return 0;
}
