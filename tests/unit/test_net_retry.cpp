#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/retry.hpp"

namespace {

constexpr int64_t kStart = 1'445'412'480;  // Wed, 21 Oct 2015 07:28:00 GMT

// What one attempt comes to: a reply, or an error when the status is 0.
struct Outcome {
  int status = 0;
  std::string retry_after = "";
  base::ExitCode code = base::exit_unavailable;
  bool safe_to_retry = true;
  int64_t takes_ms = 0;
};

const Outcome kUnreached{};
const Outcome kRefusedTls{.safe_to_retry = false};
const Outcome kWrittenNoReply{.code = base::exit_retries_spent, .safe_to_retry = false};
const Outcome kBrokenOff{.code = base::exit_malformed_reply, .safe_to_retry = false};

Outcome reply(int status, const std::string& retry_after = "") {
  return {.status = status, .retry_after = retry_after};
}

// A service that answers by a script, whose last line repeats, and a clock that only sleep moves.
struct Stage {
  std::vector<Outcome> script;
  net::RetryPolicy policy = {.wait_asked_ms = net::retry_after_ms, .on_wait = {}};
  int64_t now_ms = 5'000;
  size_t attempts = 0;
  std::vector<int64_t> started_ms;
  std::vector<int64_t> slept_ms;
  std::vector<std::string> told;

  Stage(std::vector<Outcome> outcomes, int64_t budget_ms) : script(std::move(outcomes)) {
    policy.budget_ms = budget_ms;
    policy.on_wait = [this](const std::string& reason, int64_t wait_ms) {
      told.push_back(reason + " / " + std::to_string(wait_ms));
    };
  }

  net::HttpResponse answer(const net::HttpRequest& request) {
    CHECK(request.url == "https://example.com/x");
    CHECK(request.body == "hello");
    const Outcome& outcome = script[std::min(attempts, script.size() - 1)];
    ++attempts;
    started_ms.push_back(now_ms - 5'000);
    now_ms += outcome.takes_ms;
    if (outcome.status == 0) throw net::HttpError(outcome.code, "no luck", outcome.safe_to_retry);
    net::HttpResponse response;
    response.status = outcome.status;
    response.body = "attempt " + std::to_string(attempts);
    if (!outcome.retry_after.empty()) response.headers = {{"retry-after", outcome.retry_after}};
    return response;
  }

  bool streams = false;

  net::HttpResponse send() {
    const base::Clock clock = {
        [this] { return now_ms; },
        [this] { return kStart + (now_ms - 5'000) / 1000; },
        [this](int64_t ms) {
          slept_ms.push_back(ms);
          now_ms += ms;
        },
    };
    net::HttpRequest request;
    request.method = "POST";
    request.url = "https://example.com/x";
    request.body = "hello";
    if (streams) request.stream = net::BodyStream{5, {}};
    return net::send([this](const net::HttpRequest& r) { return answer(r); }, clock, request,
                     policy);
  }

  // "CODE TEXT" of the error that send() ends in.
  std::string failure() {
    try {
      send();
    } catch (const net::HttpError& error) {
      return std::to_string(int{error.code()}) + " " + error.what();
    }
    return "no error";
  }
};

using Times = std::vector<int64_t>;

net::HttpResponse response_with(int status, const std::string& retry_after) {
  net::HttpResponse response;
  response.status = status;
  response.headers = {{"date", "x"}, {"retry-after", retry_after}};
  return response;
}

}  // namespace

TEST_CASE("a final reply is given back after one attempt") {
  for (const int status : {200, 201, 204, 301, 400, 401, 403, 404, 408, 410, 499, 600}) {
    CAPTURE(status);
    Stage stage({reply(status, "5")}, 60'000);
    CHECK(stage.send().status == status);
    CHECK(stage.attempts == 1);
    CHECK(stage.slept_ms.empty());
    CHECK(stage.told.empty());
  }
}

TEST_CASE("a request that reached nobody is sent again") {
  Stage stage({kUnreached, kUnreached, reply(200)}, 60'000);
  const net::HttpResponse response = stage.send();
  CHECK(response.status == 200);
  CHECK(response.body == "attempt 3");
  CHECK(stage.slept_ms == Times{1000, 2000});
}

TEST_CASE("a request that was written is not sent again") {
  struct {
    std::string what;
    Outcome outcome;
    std::string failure;
  } const rows[] = {
      {"no reply", kWrittenNoReply, "75 no luck"},
      {"half a reply", kBrokenOff, "76 no luck"},
      {"not written, but no better next time", kRefusedTls, "69 no luck"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage stage({row.outcome, reply(200)}, 60'000);
    CHECK(stage.failure() == row.failure);
    CHECK(stage.attempts == 1);
    CHECK(stage.slept_ms.empty());
    CHECK(stage.told.empty());
  }
}

TEST_CASE("a request that was written in a later attempt is not sent again either") {
  Stage stage({kUnreached, reply(503), kWrittenNoReply, reply(200)}, 60'000);
  CHECK(stage.failure() == "75 no luck (3 attempts)");
  CHECK(stage.attempts == 3);
}

TEST_CASE("replies that ask for it are answered with another attempt") {
  const std::string in_20_s = "Wed, 21 Oct 2015 07:28:20 GMT";
  const std::string past = "Wed, 21 Oct 2015 07:27:00 GMT";
  struct {
    std::string what;
    Outcome outcome;
    int64_t wait_ms;
  } const rows[] = {
      {"429 with seconds", reply(429, "7"), 7'000},
      {"429 with a date", reply(429, in_20_s), 20'000},
      {"429 with a date that is over", reply(429, past), 1'000},
      {"429 with zero", reply(429, "0"), 1'000},
      {"429 without", reply(429), 1'000},
      {"429 with nonsense", reply(429, "soon"), 1'000},
      {"503 with seconds", reply(503, "2"), 2'000},
      {"500", reply(500), 1'000},
      {"502", reply(502), 1'000},
      {"504", reply(504), 1'000},
      {"599", reply(599), 1'000},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage stage({row.outcome, reply(200)}, 60'000);
    CHECK(stage.send().status == 200);
    CHECK(stage.attempts == 2);
    CHECK(stage.slept_ms == Times{row.wait_ms});
  }
}

TEST_CASE("a date is compared with the clock at its own attempt") {
  Stage stage({kUnreached, reply(429, "Wed, 21 Oct 2015 07:28:20 GMT"), reply(200)}, 60'000);
  CHECK(stage.send().status == 200);
  CHECK(stage.slept_ms == Times{1'000, 19'000});
}

TEST_CASE("waits double up to half a minute") {
  Stage stage({kUnreached}, 151'000);
  CHECK(stage.failure() == "69 no luck (10 attempts)");
  CHECK(stage.slept_ms ==
        Times{1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000, 30'000});
}

TEST_CASE("a wait that was asked for does not reset the doubling") {
  Stage stage({kUnreached, reply(429, "5"), kUnreached, reply(200)}, 60'000);
  CHECK(stage.send().status == 200);
  CHECK(stage.slept_ms == Times{1'000, 5'000, 4'000});
}

TEST_CASE("the last attempt starts at the end of the budget, none behind it") {
  struct {
    std::string what;
    int64_t budget_ms;
    Times started_ms;
  } const rows[] = {
      {"no budget", 0, {0}},
      {"too little for one wait", 999, {0}},
      {"just enough for one", 1'000, {0, 1'000}},
      {"a millisecond short of two", 2'999, {0, 1'000}},
      {"just enough for two", 3'000, {0, 1'000, 3'000}},
      {"more than two, less than three", 6'999, {0, 1'000, 3'000}},
      {"just enough for three", 7'000, {0, 1'000, 3'000, 7'000}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage unreached({kUnreached}, row.budget_ms);
    CHECK(unreached.failure().starts_with("69 "));
    CHECK(unreached.started_ms == row.started_ms);
    CHECK(unreached.slept_ms.size() == row.started_ms.size() - 1);  // no sleep before giving up
    Stage failing({reply(500)}, row.budget_ms);
    CHECK(failing.send().status == 500);
    CHECK(failing.started_ms == row.started_ms);
  }
}

TEST_CASE("time that attempts take counts") {
  Outcome slow = kUnreached;
  slow.takes_ms = 10'000;
  Stage stage({slow}, 24'000);
  CHECK(stage.failure() == "69 no luck (3 attempts)");
  CHECK(stage.started_ms == Times{0, 11'000, 23'000});
}

TEST_CASE("the time that a streamed body is on its way does not count") {
  Outcome slow = kUnreached;
  slow.takes_ms = 600'000;
  Stage stage({slow}, 6'999);
  stage.streams = true;
  CHECK(stage.failure() == "69 no luck (3 attempts)");
  CHECK(stage.slept_ms == Times{1'000, 2'000});
}

TEST_CASE("a wait longer than what is left is not begun") {
  Stage at_once({reply(429, "61"), reply(200)}, 60'000);
  CHECK(at_once.send().status == 429);
  CHECK(at_once.attempts == 1);
  CHECK(at_once.slept_ms.empty());
  CHECK(at_once.told.empty());

  Stage just_fits({reply(429, "60"), reply(200)}, 60'000);
  CHECK(just_fits.send().status == 200);
  CHECK(just_fits.slept_ms == Times{60'000});

  Stage later({reply(503), reply(429, "60"), reply(200)}, 60'000);
  CHECK(later.send().status == 429);
  CHECK(later.slept_ms == Times{1'000});
}

TEST_CASE("when the budget is spent the last reply is given back as it is") {
  Stage stage({reply(429), reply(500), reply(503, "3"), reply(502)}, 6'000);
  const net::HttpResponse response = stage.send();
  CHECK(response.status == 502);
  CHECK(response.body == "attempt 4");
  CHECK(stage.slept_ms == Times{1'000, 2'000, 3'000});
}

TEST_CASE("the code tells whether anybody was ever reached") {
  struct {
    std::string what;
    std::vector<Outcome> script;
    std::string failure;
  } const rows[] = {
      {"never, one attempt", {kUnreached}, "69 no luck"},
      {"never", {kUnreached, kUnreached, kRefusedTls}, "69 no luck (3 attempts)"},
      {"at first", {reply(503), kUnreached, kRefusedTls}, "75 no luck (3 attempts)"},
      {"in between", {kUnreached, reply(429), kRefusedTls}, "75 no luck (3 attempts)"},
      {"written at last", {kUnreached, kWrittenNoReply}, "75 no luck (2 attempts)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage stage(row.script, row.script.size() == 1 ? 0 : 60'000);
    CHECK(stage.failure() == row.failure);
  }
  Stage spent({reply(503), kUnreached}, 7'000);
  CHECK(spent.failure() == "75 no luck (4 attempts)");
}

TEST_CASE("who watches is told why and how long before each wait") {
  Stage stage({kUnreached, reply(503), reply(429, "9"), reply(200)}, 60'000);
  stage.send();
  CHECK(stage.told == std::vector<std::string>{"no luck / 1000",
                                               "HTTP 503 is no success yet / 2000",
                                               "HTTP 429 is no success yet / 9000"});
}

TEST_CASE("nobody needs to watch") {
  Stage stage({reply(503), reply(200)}, 60'000);
  stage.policy.on_wait = nullptr;
  CHECK(stage.send().status == 200);
}

TEST_CASE("what a reply means is the policy's business") {
  Stage stage({reply(200), reply(500)}, 60'000);
  stage.policy.wait_asked_ms = [](const net::HttpResponse& response, int64_t now_unix_s) {
    CHECK(now_unix_s == kStart + (response.status == 200 ? 0 : 12));
    return response.status == 200 ? std::optional<int64_t>(12'000) : std::nullopt;
  };
  CHECK(stage.send().status == 500);
  CHECK(stage.slept_ms == Times{12'000});
}

TEST_CASE("errors that are not HTTP's pass through at once") {
  const base::Clock clock = {[] { return int64_t{0}; }, [] { return kStart; }, [](int64_t) {}};
  int attempts = 0;
  const net::Http http = [&](const net::HttpRequest&) -> net::HttpResponse {
    ++attempts;
    throw base::Error(base::exit_configuration, "SSL_CERT_FILE names nothing");
  };
  net::RetryPolicy policy;
  policy.wait_asked_ms = net::retry_after_ms;
  try {
    net::send(http, clock, {}, policy);
    FAIL("no error");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_configuration);
    CHECK(std::string(error.what()) == "SSL_CERT_FILE names nothing");
  }
  CHECK(attempts == 1);
}

TEST_CASE("Retry-After is read in seconds and in the three forms of a date") {
  struct {
    std::string value;
    int64_t wait_ms;
  } const rows[] = {
      {"", 0},
      {"0", 0},
      {"1", 1'000},
      {"120", 120'000},
      {"86400", 86'400'000},
      {"86401", 86'400'000},  // a day is the most
      {"9999999999", 86'400'000},
      {"-5", 0},
      {"Wed, 21 Oct 2015 07:28:30 GMT", 30'000},
      {"Wednesday, 21-Oct-15 07:28:30 GMT", 30'000},
      {"Wed Oct 21 07:28:30 2015", 30'000},
      {"Wed, 21 Oct 2015 07:28:00 GMT", 0},
      {"Wed, 21 Oct 2015 07:27:59 GMT", 0},
      {"Fri, 31 Dec 2049 23:59:59 GMT", 86'400'000},
      {"soon", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    for (const int status : {429, 500, 503}) {
      const auto wait_ms = net::retry_after_ms(response_with(status, row.value), kStart);
      CHECK(wait_ms.value_or(-1) == row.wait_ms);
    }
    for (const int status : {200, 202, 301, 404, 428, 430, 499, 600}) {
      CHECK(!net::retry_after_ms(response_with(status, row.value), kStart));
    }
  }
}

TEST_CASE("a header is found by its name in lower case") {
  const net::HttpResponse response = response_with(200, "5");
  CHECK(net::header(response, "retry-after") == "5");
  CHECK(net::header(response, "Retry-After") == "");
  CHECK(net::header(response, "retry") == "");
  CHECK(net::header(net::HttpResponse{}, "retry-after") == "");
}
