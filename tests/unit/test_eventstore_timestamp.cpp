#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "eventstore/timestamp.hpp"

namespace {

std::string time_of(int64_t ticks) {
  std::string text;
  eventstore::append_time(ticks, text);
  return text;
}

}  // namespace

TEST_CASE("times are written and read back to the tick") {
  struct {
    int64_t ticks;
    std::string text;
  } const rows[] = {
      {0, "1970-01-01T00:00:00.0000000Z"},
      {-1, "1969-12-31T23:59:59.9999999Z"},
      {17956080001234567, "2026-11-25T12:00:00.1234567Z"},
      {9517823990000000, "2000-02-29T11:59:59.0000000Z"},
      {-621672192000000000 + 1, "0000-01-01T00:00:00.0000001Z"},
      {2534023007999999999 / 10, "2772-12-27T14:17:59.9999999Z"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const std::string text = time_of(row.ticks);
    int64_t ticks = 1;
    CHECK(eventstore::read_time(text, ticks));
    CHECK(ticks == row.ticks);
  }
  CHECK(time_of(0) == rows[0].text);
  CHECK(time_of(-1) == rows[1].text);
  CHECK(time_of(17956080001234567) == rows[2].text);
}

TEST_CASE("times beyond four digits of a year become the nearest") {
  CHECK(time_of(INT64_MAX) == "9999-12-31T23:59:59.9999999Z");
  CHECK(time_of(INT64_MIN) == "0000-01-01T00:00:00.0000000Z");
}

TEST_CASE("times of other writers, and what is none") {
  struct {
    std::string text;
    std::string same;  // "" for none
  } const rows[] = {
      {"2026-11-25T12:00:00Z", "2026-11-25T12:00:00.0000000Z"},
      {"2026-11-25t12:00:00z", "2026-11-25T12:00:00.0000000Z"},
      {"2026-11-25 12:00:00.5Z", "2026-11-25T12:00:00.5000000Z"},
      {"2026-11-25T12:00:00.123456789Z", "2026-11-25T12:00:00.1234567Z"},
      {"2026-11-25T01:30:00+02:00", "2026-11-24T23:30:00.0000000Z"},
      {"2026-12-31T23:30:00-01:45", "2027-01-01T01:15:00.0000000Z"},
      {"2028-02-29T00:00:00Z", "2028-02-29T00:00:00.0000000Z"},
      {"2027-02-29T00:00:00Z", ""},
      {"2026-13-01T00:00:00Z", ""},
      {"2026-00-01T00:00:00Z", ""},
      {"2026-11-25T24:00:00Z", ""},
      {"2026-11-25T12:60:00Z", ""},
      {"2026-11-25T12:00:00", ""},
      {"2026-11-25T12:00:00.Z", ""},
      {"2026-11-25T12:00:00.1234567890Z", ""},
      {"2026-11-25T12:00:00+24:00", ""},
      {"2026-11-25T12:00:00+0100", ""},
      {"2026-11-25T12:00:00Z ", ""},
      {"2026-11-25", ""},
      {"2026-1-25T12:00:00Z", ""},
      {"-026-11-25T12:00:00Z", ""},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    int64_t ticks = 42;
    CHECK(eventstore::read_time(row.text, ticks) == !row.same.empty());
    if (row.same.empty()) {
      CHECK(ticks == 42);
    } else {
      CHECK(time_of(ticks) == row.same);
    }
  }
}
