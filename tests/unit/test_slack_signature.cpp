#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "net/hmac.hpp"
#include "slack/signature.hpp"

namespace {

using slack::Verdict;

// The example of docs.slack.dev "Verifying requests from Slack".
constexpr const char* kSecret = "8f742231b10e8888abcd99yyyzzz85a5";
constexpr const char* kTimestamp = "1531420618";
constexpr int64_t kNow = 1531420618;
constexpr const char* kSignature =
    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
constexpr const char* kBody =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    "%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

std::string signed_at(const std::string& timestamp, const std::string& body) {
  return "v0=" + net::hmac_sha256_hex(kSecret, "v0:" + timestamp + ":" + body);
}

Verdict check(const std::string& timestamp, const std::string& signature, const std::string& body,
              int64_t now_unix_s = kNow) {
  return slack::check_signature(kSecret, timestamp, signature, body, now_unix_s);
}

}  // namespace

TEST_CASE("the signed request of Slack's documentation is genuine") {
  CHECK(check(kTimestamp, kSignature, kBody) == Verdict::genuine);
}

TEST_CASE("a change to anything that was signed is found") {
  const std::string body = kBody;
  const std::string signature = kSignature;
  CHECK(check(kTimestamp, kSignature, body + " ") == Verdict::forged);
  CHECK(check(kTimestamp, kSignature, body.substr(1)) == Verdict::forged);
  CHECK(check(kTimestamp, kSignature, "") == Verdict::forged);
  CHECK(check("1531420619", kSignature, kBody) == Verdict::forged);
  CHECK(check("01531420618", kSignature, kBody) == Verdict::forged);
  CHECK(slack::check_signature("another", kTimestamp, kSignature, kBody, kNow) == Verdict::forged);
  CHECK(slack::check_signature("", kTimestamp, kSignature, kBody, kNow) == Verdict::forged);
  for (const std::string& wrong :
       {signature.substr(3), "v1" + signature.substr(2), "V0" + signature.substr(2),
        signature + "0", signature.substr(0, 66), " " + signature, signature + " ",
        std::string("v0="), std::string("v0"), std::string("x"), std::string(1'000'000, 'a'),
        std::string("v0=A2114D57B48EAC39B9AD189DD8316235A7B4A8D21A10BD27519666489C69B503"),
        signature + std::string(1, '\0')}) {
    CAPTURE(wrong.substr(0, 100));
    CHECK(check(kTimestamp, wrong, kBody) == Verdict::forged);
  }
}

TEST_CASE("a part of the body can't be moved into the timestamp") {
  CHECK(check("1531420618:x", signed_at("1531420618", "x:"), "") == Verdict::unsigned_request);
}

TEST_CASE("bytes are signed as they are") {
  for (const std::string& body : {std::string(), std::string("a\0b", 3), std::string("\xFF\xFE"),
                                  std::string(1'000'000, '%')}) {
    CHECK(check(kTimestamp, signed_at(kTimestamp, body), body) == Verdict::genuine);
  }
  CHECK(check(kTimestamp, signed_at(kTimestamp, {"a\0b", 3}), {"a\0c", 3}) == Verdict::forged);
}

TEST_CASE("five minutes are enough, in both directions") {
  struct {
    int64_t now_unix_s;
    Verdict verdict;
  } const rows[] = {
      {kNow - 301, Verdict::stale},
      {kNow - 300, Verdict::genuine},
      {kNow + 300, Verdict::genuine},
      {kNow + 301, Verdict::stale},
      {0, Verdict::stale},
      {INT64_MAX - 300, Verdict::stale},
  };
  for (const auto& row : rows) {
    CAPTURE(row.now_unix_s);
    CHECK(check(kTimestamp, kSignature, kBody, row.now_unix_s) == row.verdict);
  }
}

TEST_CASE("a signature for far away times is stale, not an overflow") {
  for (const std::string timestamp : {"0", "9223372036854775807", "9223372036854775507"}) {
    CAPTURE(timestamp);
    CHECK(check(timestamp, signed_at(timestamp, "x"), "x") == Verdict::stale);
  }
}

TEST_CASE("an old forgery is called a forgery") {
  CHECK(check("1", "v0=00", "x") == Verdict::forged);
}

TEST_CASE("without a number for the time or a signature nothing is signed") {
  for (const std::string timestamp :
       {"", " ", "x", "-1", "+1531420618", " 1531420618", "1531420618 ", "1531420618.0", "1e9",
        "0x5B47C90A", "9223372036854775808", "99999999999999999999999"}) {
    CAPTURE(timestamp);
    CHECK(check(timestamp, signed_at(timestamp, kBody), kBody) == Verdict::unsigned_request);
  }
  CHECK(check(kTimestamp, "", kBody) == Verdict::unsigned_request);
}

TEST_CASE("each verdict has its word") {
  CHECK(std::string(slack::word_of(Verdict::genuine)) == "genuine");
  CHECK(std::string(slack::word_of(Verdict::unsigned_request)) == "unsigned");
  CHECK(std::string(slack::word_of(Verdict::stale)) == "stale");
  CHECK(std::string(slack::word_of(Verdict::forged)) == "forged");
}
