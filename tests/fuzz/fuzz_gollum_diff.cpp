// The unified diff of a wiki: digest, message and summary are made of it, with an event of two
// pages.
#include <algorithm>

#include "fuzz_gollum.hpp"
#include "gollum/diff.hpp"

namespace {

gollum::Event event_of_two_pages() {
  gollum::Event event;
  event.repository = {"o/r", "https://github.com/o/r"};
  event.sender = {"mira", "https://github.com/mira"};
  event.pages = {{"Home", "Home", "", "edited", "0123", "https://github.com/o/r/wiki/Home"},
                 {"Test-Page", "Test Page", "why", "created", "4567",
                  "https://github.com/o/r/wiki/Test-Page"}};
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  std::vector<gollum::FileDiff> diff;
  if (!fuzz::takes([&] { diff = gollum::read_diff(text, "wiki.diff"); })) return 0;
  size_t lines = 0;
  for (const gollum::FileDiff& file : diff) {
    lines += file.added + file.removed;
    fuzz::expect(file.changed_lines.size() <= file.added + file.removed, "lines are counted");
    for (const std::string& line : file.changed_lines) {
      fuzz::expect_utf8(line);
      fuzz::expect(line.starts_with('+') || line.starts_with('-'), "a line has its sign", line);
    }
  }
  const auto breaks = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  fuzz::expect(lines <= breaks + 1, "no more lines than there are");
  static const gollum::Event event = event_of_two_pages();
  fuzz::expect_good_digest(gollum::make_digest(event, diff, 4));
  return 0;
}
