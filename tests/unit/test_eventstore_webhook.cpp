#include <doctest/doctest.h>

#include "eventstore/webhook.hpp"
#include "eventstore_stage.hpp"

using eventstore_stage::error_of;
using eventstore_stage::event_of;
using eventstore_stage::stage;

namespace {

const eventstore::WebhookSpec kSpec{"https://example.com/${TOKEN}/x",
                                    {{"Authorization", "Bearer ${TOKEN}"}, {"X-A", "$1 ${"}},
                                    900};

}  // namespace

TEST_CASE("a webhook gets the event, who it is, and what its headers say") {
  std::vector<std::string> printed;
  auto surroundings = stage(printed);
  std::vector<net::HttpRequest> seen;
  surroundings.http = [&](const net::HttpRequest& request) {
    seen.push_back(request);
    return net::HttpResponse{204, {}, ""};
  };
  eventstore::Webhook webhook(kSpec, surroundings);
  webhook.process(event_of("{\"a\":1}"));
  webhook.process(event_of("{\"a\":2}"));
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].method == "POST");
  CHECK(seen[1].url == "https://example.com/s3cret/x");
  CHECK(seen[1].body == "{\"a\":2}");
  CHECK(seen[1].timeout_ms == 900);
  CHECK(seen[1].headers ==
        net::Headers{{"Authorization", "Bearer s3cret"},
                     {"X-A", "$1 ${"},
                     {"Content-Type", "application/json"},
                     {"Idempotency-Key", "0c9c1b4e-0000-4000-8000-000000000001"}});
}

TEST_CASE("only 2xx is done, and no error tells a secret") {
  struct {
    int status;
    std::string body;
    std::string error;
  } const rows[] = {
      {200, "no matter", ""},
      {299, "", ""},
      {199, "", "65 https://example.com answered with status 199"},
      {302, "", "65 https://example.com answered with status 302"},
      {503, " busy\r\nnow ", "65 https://example.com answered with status 503: busy  now"},
      {401, "wrong: s3cret", "65 https://example.com answered with status 401: wrong: ***"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    std::vector<std::string> printed;
    auto surroundings = stage(printed);
    surroundings.http = [&](const net::HttpRequest&) {
      return net::HttpResponse{row.status, {}, row.body};
    };
    eventstore::Webhook webhook(kSpec, surroundings);
    CHECK(error_of(webhook, event_of("x")) == row.error);
  }
}

TEST_CASE("what a webhook can't begin with") {
  struct {
    eventstore::WebhookSpec spec;
    std::string error;
  } const rows[] = {
      {{"https://example.com", {{"A", "${GONE}"}}, 1},
       "the variable GONE is not set, and the webhook wants it"},
      {{"${TOKEN}", {}, 1},
       "a webhook's URL begins with https:// or http:// and a host; see its file and the variables "
       "in it"},
      {{"https://example.com", {{"A", "b\r\nC: d"}}, 1},
       "the webhook's header A has control characters in its value"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> printed;
    CHECK_THROWS_WITH_AS(eventstore::Webhook(row.spec, stage(printed)), row.error.c_str(),
                         base::Error);
  }
}
