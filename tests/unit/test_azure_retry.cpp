#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "azure/retry.hpp"

namespace {

constexpr int64_t kNow = 1'445'412'480;  // Wed, 21 Oct 2015 07:28:00 GMT

}  // namespace

TEST_CASE("which replies ask for another attempt") {
  for (const int status : {408, 429, 500, 501, 502, 503, 504, 599}) {
    CAPTURE(status);
    CHECK(azure::wait_asked_ms({status, {}, ""}, kNow).value_or(-1) == 0);
    CHECK(azure::wait_asked_ms({status, {{"retry-after", "7"}}, ""}, kNow).value_or(-1) == 7'000);
  }
  for (const int status : {200, 202, 301, 400, 401, 403, 404, 409, 410, 600}) {
    CAPTURE(status);
    CHECK(!azure::wait_asked_ms({status, {{"retry-after-ms", "7"}}, ""}, kNow));
  }
}

TEST_CASE("the wait is that of the first header that can be used") {
  struct {
    std::string what;
    net::Headers headers;
    int64_t wait_ms;
  } const rows[] = {
      {"none", {{"date", "x"}}, 0},
      {"seconds", {{"retry-after", "2"}}, 2'000},
      {"a date", {{"retry-after", "Wed, 21 Oct 2015 07:28:20 GMT"}}, 20'000},
      {"a date that is over", {{"retry-after", "Wed, 21 Oct 2015 07:27:00 GMT"}}, 0},
      {"ms before seconds", {{"retry-after", "2"}, {"retry-after-ms", "150"}}, 150},
      {"x-ms before seconds", {{"retry-after", "2"}, {"x-ms-retry-after-ms", "250"}}, 250},
      {"ms before x-ms", {{"x-ms-retry-after-ms", "250"}, {"retry-after-ms", "150"}}, 150},
      {"zero is a word too", {{"retry-after-ms", "0"}, {"retry-after", "2"}}, 0},
      {"nonsense is none", {{"retry-after-ms", "soon"}, {"x-ms-retry-after-ms", "250"}}, 250},
      {"below zero is none", {{"retry-after-ms", "-1"}, {"retry-after", "2"}}, 2'000},
      {"empty is none", {{"retry-after-ms", ""}, {"retry-after", "2"}}, 2'000},
      {"a day is the most", {{"retry-after-ms", "86400001"}}, 86'400'000},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    for (const int status : {408, 429, 503}) {
      CHECK(azure::wait_asked_ms({status, row.headers, ""}, kNow).value_or(-1) == row.wait_ms);
    }
  }
}

TEST_CASE("what a reply of any status asks to wait") {
  CHECK(azure::asked_wait_ms({200, {{"retry-after", "7"}}, ""}, 0) == 7'000);
  CHECK(azure::asked_wait_ms({202, {{"retry-after-ms", "250"}}, ""}, 0) == 250);
  CHECK(azure::asked_wait_ms({202, {}, ""}, 0) == 0);
}
