// Long text in parts. Holds: nothing is lost, limits are kept, each part is UTF-8, no escape is
// cut, and no fence is left open where a part ends.
#include "fuzz.hpp"
#include "slack/mrkdwn.hpp"
#include "slack/split.hpp"

namespace {

using slack::Markup;

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string without(std::string_view text, std::string_view bytes) {
  std::string kept;
  for (const char c : text) {
    if (bytes.find(c) == std::string_view::npos) kept += c;
  }
  return kept;
}

size_t fences_in(std::string_view part) {
  size_t count = 0;
  for (size_t at = part.find("```"); at != std::string_view::npos; at = part.find("```", at + 3)) {
    ++count;
  }
  return count;
}

void check(const std::string& text, size_t most_units, Markup markup) {
  const std::vector<std::string> parts = slack::split(text, most_units, markup);
  std::string whole;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    fuzz::expect(base::utf16_length(part) <= most_units, "a part keeps the limit", part);
    fuzz::expect(part.find_first_not_of(kWhiteSpace) != std::string::npos,
                 "a part shows something");
    fuzz::expect_harmless(part);
    const bool is_last = i + 1 == parts.size();
    const bool is_closed = is_last || markup != Markup::mrkdwn || fences_in(part) % 2 == 0;
    fuzz::expect(is_closed, "a part closes its fences", part);
    whole += part;
  }
  // Fences are repeated, with what stands in a Markdown fence's line: that is another test's.
  if (markup == Markup::markdown && text.find_first_of("`~") != std::string::npos) return;
  const std::string left_out = std::string(kWhiteSpace) + (markup == Markup::plain ? "" : "`");
  fuzz::expect(without(whole, left_out) == without(text, left_out), "nothing is lost", whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = slack::escape_plain(fuzz::text_of(data, size));
  for (const size_t most_units : {200U, 333U, 4'000U}) {
    for (const Markup markup : {Markup::plain, Markup::mrkdwn, Markup::markdown}) {
      check(text, most_units, markup);
    }
  }
  // With links and mentions, of which nothing is known but that they are not lost.
  const std::string mrkdwn = base::repair_utf8(fuzz::text_of(data, size));
  for (const std::string& part : slack::split(mrkdwn, 200, Markup::mrkdwn)) {
    fuzz::expect(base::utf16_length(part) <= 200, "a part keeps the limit", part);
    fuzz::expect_utf8(part);
  }
  return 0;
}
