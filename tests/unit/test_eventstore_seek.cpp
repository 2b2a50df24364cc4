#include "eventstore/seek.hpp"

#include <charconv>

#include "eventstore_server.hpp"

using eventstore::Offset;
using eventstore::Target;
using namespace eventstore_server;
using Kind = Offset::Kind;

namespace {

const Target kOrders = {"orders", false, std::nullopt};
constexpr int64_t kSecond = 10'000'000;  // ticks

// A stream whose event n was written at second n, or at `seconds`.
struct Stream {
  std::vector<uint64_t> revisions;  // that are still there
  std::function<int64_t(uint64_t)> second = [](uint64_t revision) {
    return static_cast<int64_t>(revision);
  };

  // "orders from 5 x1"
  Reply answer(const std::string& asked) const {
    if (revisions.empty()) return {not_found_frame()};
    const bool backwards = asked.find("backwards") != std::string::npos;
    const size_t count = std::stoull(asked.substr(asked.find('x') + 1));
    std::vector<uint64_t> given = revisions;
    if (backwards) std::reverse(given.begin(), given.end());
    uint64_t from = 0;
    const std::string word = asked.substr(12, asked.find(' ', 12) - 12);
    if (word != "start" && word != "end") from = std::stoull(word);
    std::string bytes;
    size_t sent = 0;
    for (const uint64_t revision : given) {
      if (word != "end" && revision < from) continue;
      if (sent++ == count) break;
      bytes += event_frame(Told{revision, {}, "T", second(revision) * kSecond});
    }
    return {bytes};
  }
};

std::vector<uint64_t> range(uint64_t from, uint64_t count, uint64_t step = 1) {
  std::vector<uint64_t> numbers;
  for (uint64_t i = 0; i < count; ++i) numbers.push_back(from + i * step);
  return numbers;
}

struct Found {
  std::string place;
  size_t requests;
};

Found find(const Stream& stream, const Offset& offset) {
  Server server;
  server.serve = [&](const std::string& asked) { return stream.answer(asked); };
  const Place place = find_place(server.nodes, server.options(), kOrders, offset);
  return {text_of(place), server.asked.size()};
}

Offset by_time(int64_t seconds) {
  Offset offset;
  offset.kind = Kind::time;
  offset.ticks = seconds * kSecond;
  return offset;
}

Offset by_number(Kind kind, uint64_t number) {
  Offset offset;
  offset.kind = kind;
  offset.number = number;
  return offset;
}

}  // namespace

TEST_CASE("what a person may say of a beginning") {
  constexpr int64_t kNow = 2'000'000 * kSecond;
  struct {
    std::string text;
    Kind kind;
    int64_t value;  // a number, ticks, or a commit position
  } const rows[] = {
      {"beginning", Kind::beginning, 0},
      {"end", Kind::end, 0},
      {"0", Kind::number, 0},
      {"17", Kind::number, 17},
      {"9223372036854775807", Kind::number, INT64_MAX},
      {"-5", Kind::last, 5},
      {"-0", Kind::last, 0},
      {"@0", Kind::time, 0},
      {"@1700000000", Kind::time, 1'700'000'000 * kSecond},
      {"@1700000000123", Kind::time, 17'000'000'001'230'000},
      {"@-2h", Kind::time, kNow - 7'200 * kSecond},
      {"@-90s", Kind::time, kNow - 90 * kSecond},
      {"@-1.5m", Kind::time, kNow - 90 * kSecond},
      {"@-7d", Kind::time, kNow - 604'800 * kSecond},
      {"@-36500d", Kind::time, kNow - INT64_C(3'153'600'000) * kSecond},
      {"@2023-11-14T22:13:20Z", Kind::time, 1'700'000'000 * kSecond},
      {"@2023-11-14", Kind::time, 1'699'920'000 * kSecond},
      {"7/6", Kind::position, 7},
      {"9223372036854775807/0", Kind::position, INT64_MAX},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    Offset offset;
    REQUIRE(eventstore::read_offset(row.text, kNow, offset));
    CHECK(offset.kind == row.kind);
    const bool is_time = row.kind == Kind::time;
    const bool is_position = row.kind == Kind::position;
    CHECK((is_time ? offset.ticks
                   : static_cast<int64_t>(is_position ? offset.position.commit : offset.number)) ==
          row.value);
  }
  for (const char* wrong : {"",
                            "-",
                            "--5",
                            "+5",
                            "5 ",
                            "1.5",
                            "Beginning",
                            "first",
                            "0x10",
                            "9223372036854775808",
                            "-9223372036854775808",
                            "18446744073709551616",
                            "@",
                            "@x",
                            "@-",
                            "@-x",
                            "@--2h",
                            "@-90",
                            "@-nans",
                            "@-infd",
                            "@-99999d",
                            "@9223372036854775807",
                            "@922337203685478",
                            "@99999999999999999999",
                            "@2023-13-01",
                            "/",
                            "5/",
                            "/5",
                            "1/2/3",
                            "-1/2",
                            "9223372036854775808/0",
                            "0/9223372036854775808"}) {
    CAPTURE(wrong);
    Offset offset;
    CHECK_FALSE(eventstore::read_offset(wrong, kNow, offset));
  }
}

TEST_CASE("places that no server is asked for") {
  CHECK(find({}, by_number(Kind::beginning, 0)).place == "start");
  CHECK(find({}, by_number(Kind::number, 0)).place == "start");
  CHECK(find({}, by_number(Kind::number, 1)).place == "0");
  CHECK(find({}, by_number(Kind::number, INT64_MAX)).place == "9223372036854775806");
  CHECK(find({}, by_number(Kind::number, 7)).requests == 0);
}

TEST_CASE("the end and the last events, of whole, truncated and empty streams") {
  const Stream whole = {range(0, 10)};
  const Stream truncated = {range(5, 3)};
  const Stream gaps = {{2, 5, 9}};
  struct {
    std::string what;
    Stream stream;
    Offset offset;
    std::string place;
  } const rows[] = {
      {"end", whole, by_number(Kind::end, 0), "9"},
      {"end of nothing", {}, by_number(Kind::end, 0), "start"},
      {"-1", whole, by_number(Kind::last, 1), "8"},
      {"-9", whole, by_number(Kind::last, 9), "0"},
      {"-10", whole, by_number(Kind::last, 10), "start"},
      {"-11", whole, by_number(Kind::last, 11), "start"},
      {"-0 is the end", whole, by_number(Kind::last, 0), "9"},
      {"-2 of what is left", truncated, by_number(Kind::last, 2), "5"},
      {"-3 of what is left", truncated, by_number(Kind::last, 3), "start"},
      {"-2 over gaps", gaps, by_number(Kind::last, 2), "2"},
      {"-5 of nothing", {}, by_number(Kind::last, 5), "start"},
      {"the most", whole, by_number(Kind::last, INT64_MAX), "start"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Found found = find(row.stream, row.offset);
    CHECK(found.place == row.place);
    CHECK(found.requests == 1);
  }
}

TEST_CASE("by time: before the first event that is not older") {
  const Stream whole = {range(0, 10)};
  const Stream truncated = {range(1'000, 10)};
  const Stream gaps = {{3, 100, 101, 5'000}};
  Stream same = {range(0, 10)};
  same.second = [](uint64_t revision) { return revision < 4 ? 1 : 7; };
  struct {
    std::string what;
    Stream stream;
    int64_t second;
    uint64_t next;  // the first event that is given; 99999: none
  } const rows[] = {
      {"before the first", whole, -5, 0},
      {"the first", whole, 0, 0},
      {"in the middle", whole, 6, 6},
      {"the last", whole, 9, 9},
      {"after the last", whole, 10, 99'999},
      {"nothing there", {}, 3, 99'999},
      {"one event, older", {{0}}, 1, 99'999},
      {"one event", {{0}}, 0, 0},
      {"truncated, before", truncated, 10, 1'000},
      {"truncated, in the middle", truncated, 1'003, 1'003},
      {"truncated, the last", truncated, 1'009, 1'009},
      {"gaps", gaps, 4, 100},
      {"gaps, at", gaps, 101, 101},
      {"gaps, behind", gaps, 102, 5'000},
      {"the first of equal times", same, 7, 4},
      {"between equal times", same, 2, 4},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const std::string place = find(row.stream, by_time(row.second)).place;
    uint64_t next = 99'999;
    for (const uint64_t revision : row.stream.revisions) {
      if (place == "start" || revision > std::stoull(place)) {
        next = revision;
        break;
      }
    }
    CHECK(next == row.next);
  }
}

TEST_CASE("by time: as many questions as halvings, also in a long stream") {
  Server server;
  constexpr uint64_t kEvents = uint64_t{1} << 40U;
  server.serve = [](const std::string& asked) {
    const std::string word = asked.substr(12, asked.find(' ', 12) - 12);
    const uint64_t from = word == "start" ? 0 : (word == "end" ? kEvents - 1 : std::stoull(word));
    return Reply{event_frame(Told{from, {}, "T", static_cast<int64_t>(from)})};
  };
  Offset offset = by_time(0);
  offset.ticks = 123'456'789'012;
  const Place place = find_place(server.nodes, server.options(), kOrders, offset);
  CHECK(text_of(place) == "123456789011");
  CHECK(server.asked.size() <= 42);
  CHECK(server.connections.size() == 1);
}

TEST_CASE("links are searched by their own times, and not resolved") {
  Server server;
  const Stream stream = {range(0, 10)};
  server.serve = [&](const std::string& asked) { return stream.answer(asked); };
  find_place(server.nodes, server.options(), {"orders", true, std::nullopt}, by_time(3));
  for (const std::string& asked : server.asked) CHECK(asked.find("links") == std::string::npos);
}

TEST_CASE("$all: its end, and a position as it is given") {
  Server server;
  server.replies = {{event_frame(Told{3, {50, 40}})}};
  const Target all;
  CHECK(text_of(find_place(server.nodes, server.options(), all, by_number(Kind::end, 0))) ==
        "50/40");
  CHECK(server.asked.back() == "$all from end backwards x1");
  Offset offset;
  REQUIRE(eventstore::read_offset("9/8", 0, offset));
  CHECK(text_of(find_place(server.nodes, server.options(), all, offset)) == "9/8");
  CHECK(server.asked.size() == 1);
}

TEST_CASE("a loss while a place is sought is survived, once the server was reached") {
  Server server("esdb://one:2113?tls=false&maxDiscoverAttempts=2");
  const Stream stream = {range(0, 1'000)};
  server.serve = [&](const std::string& asked) {
    const size_t call = server.asked.size();
    return call > 4 && call < 14 ? broken() : stream.answer(asked);
  };
  const Place place = find_place(server.nodes, server.options(), kOrders, by_time(700));
  CHECK(text_of(place) == "699");
}

TEST_CASE("a deleted stream and refused rights are not taken for an empty stream") {
  for (const Reply& reply : {status(9, "stream-deleted"), status(7, "access-denied")}) {
    Server server;
    server.replies = {reply};
    CHECK_THROWS_AS(find_place(server.nodes, server.options(), kOrders, by_number(Kind::end, 0)),
                    base::Error);
  }
}
