// Events as lines of JSON, and the small texts around them: templates, formats, times, decimal
// numbers. Holds: what is written reads as it was.
#include "eventstore/data.hpp"
#include "eventstore/dead_letters.hpp"
#include "eventstore/decimal.hpp"
#include "eventstore/event_json.hpp"
#include "eventstore/format.hpp"
#include "eventstore/say.hpp"
#include "eventstore/timestamp.hpp"
#include "eventstore/type_filter.hpp"
#include "fuzz.hpp"
#include "json/raw.hpp"

namespace {

using eventstore::Event;

std::string line_of(const Event& event) {
  std::string line;
  eventstore::append_event_json(event, line);
  fuzz::expect(json::is_json(line) && line.find('\n') == std::string::npos, "a line of JSON", line);
  return line;
}

void check_event(const Event& event, const std::string& path) {
  const std::string line = line_of(event);
  Event again;
  std::string why;
  const bool is_read = fuzz::takes([&] { again = eventstore::read_event_json(line, "x"); }, &why);
  fuzz::expect(is_read, "what is printed reads", why);
  const auto is_bare = [](const std::string& bytes) { return base::trim(bytes) == bytes; };
  const bool is_whole = is_bare(event.data) && is_bare(event.metadata);  // white space goes
  fuzz::expect(!is_whole || line_of(again) == line, "it is printed as it was", line);
  const std::string letter = eventstore::dead_letter(event, path, path, 1'700'000'000);
  fuzz::expect(eventstore::processor_of(letter) == base::repair_utf8(path), "a letter is found");
  const std::string raw = eventstore::raw_field(event, path);
  fuzz::expect(raw.empty() || json::is_json(raw), "a field is JSON", raw);
  eventstore::key_of(event, path);
}

void check_texts(const std::string& text, const Event& event) {
  std::string printed;
  fuzz::takes([&] { eventstore::Format(text).append(event, printed); });
  fuzz::takes([&] {
    const eventstore::Say say = eventstore::read_say(text, {"total"});
    const std::string line = eventstore::said(say, event, {{"total", "12.5"}});
    const bool is_line = base::one_line(text) == text;
    fuzz::expect(!is_line || base::one_line(line) == line, "what is said is one line", line);
  });
  fuzz::takes([&] {
    eventstore::Filter filter;
    filter.regex = text;
    eventstore::LocalFilter(filter).takes(event);
  });
  int64_t ticks = 0;
  if (eventstore::read_time(text, ticks)) {
    std::string time;
    eventstore::append_time(ticks, time);  // the nearest within the years 0 to 9999
    int64_t again = 0;
    std::string time_again;
    const bool is_read = eventstore::read_time(time, again);
    eventstore::append_time(again, time_again);
    fuzz::expect(is_read && time_again == time, "a time comes back", time);
  }
  if (const auto number = eventstore::read_decimal(text)) {
    const std::string written = eventstore::text_of(*number);
    fuzz::expect(eventstore::read_decimal(written) == number, "a number comes back", written);
    fuzz::expect(!eventstore::sum_of(*number, *number) ||
                     *eventstore::sum_of(*number, *number) >= *number || number->whole < 0,
                 "a sum is larger", written);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  std::string_view lines = text;
  const std::string first = fuzz::take_line(lines);
  Event event;
  fuzz::takes([&] {
    event = eventstore::read_event_json(first, "line 1");
    check_event(event, std::string(lines.substr(0, lines.find('\n'))));
  });
  eventstore::processor_of(first);
  check_texts(first, event);
  check_texts(std::string(lines), event);
  Event bytes;
  bytes.stream = bytes.type = bytes.data = bytes.metadata = text;
  bytes.content_type = "application/json";
  if (!text.empty()) check_event(bytes, "a.b");
  return 0;
}
