#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "eventstore/event_json.hpp"

namespace {

using eventstore::Event;
using eventstore::kNoPosition;
using eventstore::Link;

Event example() {
  Event event;
  event.stream = "orders-1";
  event.revision = 7;
  event.position = {2048, 1024};
  event.type = "OrderPlaced";
  event.id = "01234567-89ab-cdef-fedc-ba9876543210";
  event.created_ticks = 17956080001234567;
  event.content_type = "application/json";
  event.data = R"({"a":1})";
  event.metadata = R"({"m":[]})";
  return event;
}

std::string line_of(const Event& event) {
  std::string line;
  eventstore::append_event_json(event, line);
  return line;
}

Event event_of(const std::string& line) {
  return eventstore::read_event_json(line, "events.jsonl: line 3");
}

void check_same(const Event& event, const Event& other) {
  CHECK(event.stream == other.stream);
  CHECK(event.revision == other.revision);
  CHECK(event.position == other.position);
  CHECK(event.type == other.type);
  CHECK(event.id == other.id);
  CHECK(event.created_ticks == other.created_ticks);
  CHECK(event.content_type == other.content_type);
  CHECK(event.data == other.data);
  CHECK(event.metadata == other.metadata);
  CHECK(event.is_missing == other.is_missing);
  CHECK(event.retries == other.retries);
  REQUIRE(event.link.has_value() == other.link.has_value());
  if (!event.link) return;
  CHECK(event.link->stream == other.link->stream);
  CHECK(event.link->revision == other.link->revision);
  CHECK(event.link->position == other.link->position);
  CHECK(event.link->id == other.link->id);
}

std::string refusal(const std::string& line) {
  try {
    event_of(line);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("an event as a line") {
  CHECK(line_of(example()) ==
        R"({"stream":"orders-1","revision":7,"commit":2048,"prepare":1024,"type":"OrderPlaced",)"
        R"("id":"01234567-89ab-cdef-fedc-ba9876543210","created":"2026-11-25T12:00:00.1234567Z",)"
        R"("content_type":"application/json","data":{"a":1},"metadata":{"m":[]}})");
}

TEST_CASE("an event as a line: binary data, no position, a link, retries") {
  Event event = example();
  event.stream = "a\xFF";
  event.type = "\xFE";
  event.position = {};
  event.content_type = "application/octet-stream";
  event.metadata = "{";
  event.link = Link{"$ce-a\xFF", 70, {}, "b"};
  event.retries = 3;
  CHECK(line_of(event) ==
        "{\"stream\":\"a\xEF\xBF\xBD\",\"stream_base64\":\"Yf8=\",\"revision\":7,"
        "\"type\":\"\xEF\xBF\xBD\",\"type_base64\":\"/g==\","
        R"("id":"01234567-89ab-cdef-fedc-ba9876543210","created":"2026-11-25T12:00:00.1234567Z",)"
        R"("content_type":"application/octet-stream","data_base64":"eyJhIjoxfQ==",)"
        "\"metadata_base64\":\"ew==\",\"link\":{\"stream\":\"$ce-a\xEF\xBF\xBD\","
        R"("stream_base64":"JGNlLWH/","revision":70,"id":"b"},"retries":3})");
}

TEST_CASE("a link without its target as a line") {
  Event event;
  event.is_missing = true;
  event.link = Link{"$ce-a", 70, {9, 8}, "b"};
  CHECK(line_of(event) == R"({"link":{"stream":"$ce-a","revision":70,"commit":9,"prepare":8,)"
                          R"("id":"b"},"missing":true})");
}

TEST_CASE("nasty events come back as they were") {
  const std::vector<std::string> datas = {
      "",
      "{}",
      "null",
      "0",
      "\"a\\n\\u0000\\\"\"",
      "[1e999,-0,123456789012345678901234567890,0.10]",
      R"({"a":1,"a":2,"":{"\u0061":"\ud83d\ude00"}})",
      "{\"tab\"\t:\t1}",
      "{\"a\":\"\xC3\xA4\"}",
      "{\"a\":\"\xFF\"}",
      "{\"a\":}",
      "{} {}",
      R"("\ud83d")",
      std::string("\0\1\2\xFF", 4),
      std::string("{\"a\":\0}", 7),
      "line\nbreak",
      std::string(600, '[') + std::string(600, ']'),
      std::string(998, '[') + std::string(998, ']'),
      std::string(999, '[') + std::string(999, ']'),
      std::string(1'000, '[') + std::string(1'000, ']'),
      std::string(1'001, '[') + std::string(1'001, ']'),
      std::string(3'000, '[') + std::string(3'000, ']'),
  };
  std::vector<Event> events;
  for (const std::string& data : datas) {
    for (const char* type : {"application/json", "application/octet-stream", ""}) {
      Event event = example();
      event.content_type = type;
      event.data = data;
      event.metadata = data;
      events.push_back(event);
    }
  }
  Event odd = example();
  odd.stream = std::string("\0\"\\\n\x7F\xC3", 6);
  odd.type = "\xED\xA0\x80";
  odd.revision = UINT64_MAX - 1;
  odd.position = {UINT64_MAX - 1, 0};
  odd.created_ticks = -1;
  odd.content_type = "a\"b";
  odd.link = Link{"\xFF\xFE", UINT64_MAX - 1, {0, UINT64_MAX - 1}, "x"};
  odd.retries = INT32_MAX;
  events.push_back(odd);
  odd.link->position = {};
  events.push_back(odd);
  Event missing;
  missing.is_missing = true;
  missing.link = Link{"a", 1, {2, 3}, "b"};
  events.push_back(missing);
  for (const Event& event : events) {
    const std::string line = line_of(event);
    CAPTURE(line.substr(0, 500));
    CHECK(line.find('\n') == std::string::npos);
    check_same(event_of(line), event);
  }
}

TEST_CASE("line breaks between the parts of JSON become spaces") {
  Event event = example();
  event.data = "{\r\n  \"a\": \"\\n\",\n  \"b\": []\n}";
  CHECK(event_of(line_of(event)).data == "{    \"a\": \"\\n\",   \"b\": [] }");
}

TEST_CASE("a line written by hand needs no more than a type") {
  const Event event = event_of(R"( {"type": "T", "data": {"n" : 1.0 }, "error": "x", "a": {}} )");
  CHECK(event.type == "T");
  CHECK(event.data == R"({"n" : 1.0 })");
  CHECK(event.content_type == "application/json");
  CHECK(event.stream.empty());
  CHECK(event.revision == 0);
  CHECK(event.position.commit == kNoPosition);
  CHECK(event.id.empty());
  CHECK(event_of(R"({"type":"T"})").content_type.empty());
  CHECK(event_of(R"({"type":"T","data_base64":"AP8"})").data == std::string("\0\xFF", 2));
  CHECK(event_of(R"({"type":"T","data":null,"stream":null,"link":null})").data == "null");
  CHECK(event_of(R"({"type":"T","data":1,"content_type":"x"})").content_type == "x");
  CHECK(event_of(R"({"type":"T","created":"2026-11-25T12:00:00Z"})").created_ticks ==
        17956080000000000);
}

TEST_CASE("lines that are no events, with the place and the reason") {
  const std::pair<std::string, std::string> rows[] = {
      {"", " is empty"},
      {"[]", " is no JSON object"},
      {"{\"type\":}", " is not JSON: line 1"},
      {"{}", " has no \"type\""},
      {R"({"type":""})", " has no \"type\""},
      {R"({"type":5})", ": \"type\" must be a text"},
      {R"({"type":"T","stream":[]})", ": \"stream\" must be a text"},
      {R"({"type":"T","revision":-1})", ": \"revision\" must be a whole number from 0 to 1844"},
      {R"({"type":"T","revision":1.5})", ": \"revision\" must be"},
      {R"({"type":"T","revision":"1"})", ": \"revision\" must be"},
      {R"({"type":"T","commit":18446744073709551616})", ": \"commit\" must be"},
      {R"({"type":"T","retries":-1})", ": \"retries\" must be"},
      {R"({"type":"T","retries":2147483648})", ": \"retries\" must be"},
      {R"({"type":"T","created":"soon"})", ": \"created\" must be a time"},
      {R"({"type":"T","created":0})", ": \"created\" must be a time"},
      {R"({"type":"T","data_base64":"a"})", ": \"data_base64\" must be a text in Base64"},
      {R"({"type":"T","data_base64":1})", ": \"data_base64\" must be"},
      {R"({"type":"T","link":"x"})", ": \"link\" must be an object"},
      {R"({"type":"T","link":{"revision":"x"}})", ": link: \"revision\" must be"},
      {R"({"type":"T","missing":1})", ": \"missing\" must be true or false"},
  };
  for (const auto& [line, words] : rows) {
    CAPTURE(line);
    const std::string error = refusal(line);
    CAPTURE(error);
    CHECK(error.starts_with("events.jsonl: line 3" + words));
  }
}
