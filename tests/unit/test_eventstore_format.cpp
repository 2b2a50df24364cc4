#include <doctest/doctest.h>

#include <string>

#include "base/error.hpp"
#include "eventstore/format.hpp"

namespace {

using eventstore::Event;
using eventstore::Format;

Event example() {
  Event event;
  event.stream = "orders-1";
  event.revision = 7;
  event.position = {2048, 1024};
  event.type = "OrderPlaced";
  event.id = "an-id";
  event.created_ticks = 17956080001234567;
  event.content_type = "application/json";
  event.data = "{\"a\":1}";
  event.metadata = "{}";
  event.retries = 2;
  return event;
}

std::string formatted(const std::string& format, const Event& event = example()) {
  std::string text = ">";
  Format(format).append(event, text);
  return text.substr(1);
}

std::string refusal(const std::string& format) {
  try {
    const Format unused(format);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_usage);
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("every place and every escape of a format") {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"%s", "orders-1"},
      {"%n", "7"},
      {"%t", "OrderPlaced"},
      {"%d", "{\"a\":1}"},
      {"%m", "{}"},
      {"%T", "2026-11-25T12:00:00.1234567Z"},
      {"%i", "an-id"},
      {"%c", "application/json"},
      {"%p", "2048/1024"},
      {"%r", "2"},
      {"100%%", "100%"},
      {"%%s", "%s"},
      {R"(%s\t%n\n)", "orders-1\t7\n"},
      {R"(a\r\\\x41\xff\0b)", std::string("a\r\\A\xff\0b", 7)},
      {R"(\\n%n\x0a)", "\\n7\n"},
      {"\xC3\xA4%n\xC3\xA4",
       "\xC3\xA4"
       "7\xC3\xA4"},
  };
  for (const auto& [format, text] : rows) {
    CAPTURE(format);
    CHECK(formatted(format) == text);
  }
}

TEST_CASE("what is not known in a format is named with its place") {
  const std::pair<std::string, std::string> rows[] = {
      {"a %q", "--format: %q at character 3; known are %s %n"},
      {"%", "--format: % at character 1"},
      {"%s%", "--format: % at character 3"},
      {"\xC3\xA4\\q", "--format: \\q at character 2"},
      {"\\", "--format: \\ at character 1"},
      {"%\xC3\xA4x", "--format: %\xC3\xA4 at character 1"},
      {"\\x4", "--format: \\x4 at character 1"},
      {"\\xg0", "--format: \\xg0 at character 1"},
      {"\\x", "--format: \\x at character 1"},
      {"% 5n", "--format: %  at character 1"},
  };
  for (const auto& [format, words] : rows) {
    CAPTURE(format);
    const std::string error = refusal(format);
    CAPTURE(error);
    CHECK(error.starts_with(words));
  }
}

TEST_CASE("a link's number and position, and none") {
  Event event = example();
  event.link = eventstore::Link{"$ce-orders", 70, {9, 8}, "link-id"};
  CHECK(formatted("%s %n %p %i", event) == "orders-1 70 9/8 an-id");
  event = example();
  event.position = {};
  CHECK(formatted("%p", event) == "-");
}
