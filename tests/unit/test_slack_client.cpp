#include <doctest/doctest.h>

#include <vector>

#include "base/error.hpp"
#include "json/read.hpp"
#include "slack/client.hpp"

namespace {

// A Slack that gives these replies in turn, and a clock that only sleeping moves.
struct Fake {
  std::vector<net::HttpResponse> replies;
  std::vector<net::HttpRequest> requests;
  int64_t now_ms = 0;

  slack::Line line() {
    slack::Line line;
    line.http = [this](const net::HttpRequest& request) {
      requests.push_back(request);
      REQUIRE(requests.size() <= replies.size());
      return replies[requests.size() - 1];
    };
    line.clock = {[this] { return now_ms; }, [this] { return 1'700'000'000 + now_ms / 1000; },
                  [this](int64_t ms) { now_ms += ms; }};
    return line;
  }
};

const slack::Sender kWebhook{"https://hooks.slack.com/services/T/B/secret", "", slack::kApi};
const slack::Sender kToken{"", "xoxb-1", "https://slack.example/api"};

int code_of(Fake& fake, const slack::Sender& sender) {
  try {
    slack::send(sender, {}, fake.line());
    return 0;
  } catch (const base::Error& error) {
    return error.code();
  }
}

}  // namespace

TEST_CASE("only Slack's word is success") {
  struct Row {
    slack::Sender sender;
    net::HttpResponse reply;
    int code;
  };
  const Row rows[] = {
      {kWebhook, {200, {}, "ok"}, 0},
      {kWebhook, {200, {}, "ok\n"}, 0},
      {kWebhook, {200, {}, R"({"ok":true})"}, 0},
      {kWebhook, {200, {}, ""}, 76},
      {kWebhook, {200, {}, "okay"}, 76},
      {kWebhook, {200, {}, "<html>"}, 76},
      {kWebhook, {200, {}, "{}"}, 76},
      {kWebhook, {200, {}, R"({"ok":false,"error":"no_text"})"}, 65},
      {kWebhook, {201, {}, "ok"}, 76},
      {kWebhook, {404, {}, "no_service"}, 78},
      {kWebhook, {404, {}, "<html>"}, 76},
      {kWebhook, {302, {}, ""}, 76},
      {kToken, {200, {}, R"({"ok":true,"ts":"1.2","channel":"C1"})"}, 0},
      {kToken, {200, {}, R"({"ok":true,"error":"ratelimited"})"}, 0},
      {kToken, {200, {}, "ok"}, 76},
      {kToken, {200, {}, R"({"ok":1})"}, 76},
      {kToken, {200, {}, R"({"ok":false,"error":"not_authed"})"}, 77},
      {kToken, {401, {}, ""}, 77},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reply.status);
    CAPTURE(row.reply.body);
    Fake fake{{row.reply}, {}, 0};
    CHECK(code_of(fake, row.sender) == row.code);
    CHECK(fake.requests.size() == 1);
  }
}

TEST_CASE("a token goes in the header, the arguments as a form that every method takes") {
  Fake fake{{{200, {}, R"({"ok":true})"}}, {}, 0};
  const json::Object arguments = {{"text", "a&b=c \xC3\xBC+"},
                                  {"blocks", json::Array{json::Object{{"type", "divider"}}}},
                                  {"unfurl_links", false},
                                  {"limit", 7},
                                  {"left_out", nullptr}};
  slack::send(kToken, {"chat.postMessage", arguments}, fake.line());
  const net::HttpRequest& request = fake.requests.front();
  CHECK(request.method == "POST");
  CHECK(request.url == "https://slack.example/api/chat.postMessage");
  const net::Headers expected = {
      {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
      {"Authorization", "Bearer xoxb-1"}};
  CHECK(request.headers == expected);
  CHECK(request.body ==
        "text=a%26b%3Dc%20%C3%BC%2B&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D"
        "&unfurl_links=false&limit=7");
}

TEST_CASE("a webhook gets its arguments as JSON") {
  Fake fake{{{200, {}, "ok"}}, {}, 0};
  CHECK(slack::send(kWebhook, {"", {{"text", "a"}}}, fake.line()).response == "\"ok\"");
  CHECK(fake.requests.front().url == kWebhook.webhook);
  CHECK(fake.requests.front().body == R"({"text":"a"})");
}

TEST_CASE("the base address works with and without its last slash") {
  for (const std::string api : {"https://slack.example/api", "https://slack.example/api/"}) {
    Fake fake{{{200, {}, R"({"ok":true})"}}, {}, 0};
    slack::send({"", "t", api}, {}, fake.line());
    CHECK(fake.requests.front().url == "https://slack.example/api/chat.postMessage");
  }
}

TEST_CASE("what Slack tells of the message it took") {
  Fake fake{{{200, {}, R"({"ok":true,"channel":"C1","ts":"2.3","message":{"thread_ts":"1.2"},
    "warning":"message_truncated","response_metadata":{"warnings":["message_truncated"]}})"}},
            {},
            0};
  const slack::Receipt receipt = slack::send(kToken, {}, fake.line());
  CHECK(receipt.channel_id == "C1");
  CHECK(receipt.ts == "2.3");
  CHECK(receipt.thread_ts == "1.2");
  CHECK(receipt.warnings == std::vector<std::string>{"message_truncated"});
}

TEST_CASE("a warning is heard wherever Slack puts it") {
  for (const std::string reply :
       {R"({"ok":true,"warning":"message_truncated"})",
        R"({"ok":true,"response_metadata":{"warnings":["message_truncated"]}})"}) {
    CAPTURE(reply);
    Fake fake{{{200, {}, reply}}, {}, 0};
    CHECK(slack::send(kToken, {}, fake.line()).warnings ==
          std::vector<std::string>{"message_truncated"});
  }
}

TEST_CASE("what may have been done is sent again only where twice is better than never") {
  const net::HttpResponse replies[] = {
      {504, {}, "x y"},
      {200, {}, R"({"ok":false,"error":"internal_error"})"},
      {200, {}, R"({"ok":false,"error":"fatal_error"})"},
      {200, {}, R"({"ok":false,"error":"request_timeout"})"},
      {200, {}, R"({"ok":false,"error":"service_unavailable"})"},
  };
  for (const net::HttpResponse& reply : replies) {
    CAPTURE(reply.body);
    Fake once{{reply}, {}, 0};
    CHECK(code_of(once, kToken) != 0);
    CHECK(once.requests.size() == 1);

    Fake again{{reply, {200, {}, R"({"ok":true})"}}, {}, 0};
    slack::Line line = again.line();
    line.repeat_when_unsure = true;
    CHECK_NOTHROW(slack::send(kToken, {}, line));
    CHECK(again.requests.size() == 2);
  }
}

TEST_CASE("a refusal that will not pass is final, also where twice is better than never") {
  Fake fake{{{200, {}, R"({"ok":false,"error":"is_archived"})"}}, {}, 0};
  slack::Line line = fake.line();
  line.repeat_when_unsure = true;
  CHECK_THROWS_AS(slack::send(kToken, {}, line), base::Error);
}

TEST_CASE("a rate limit is waited out, however Slack tells it") {
  struct Row {
    net::HttpResponse reply;
    int64_t waited_ms;
  };
  const Row rows[] = {
      {{429, {{"retry-after", "7"}}, ""}, 7'000},
      {{429, {{"retry-after", "7"}}, R"({"ok":false,"error":"rate_limited","retry_after":9})"},
       7'000},
      {{429, {}, R"({"ok":false,"error":"rate_limited","retry_after":9})"}, 9'000},
      {{429, {}, "rate_limited"}, 1'000},
      {{200, {}, R"({"ok":false,"error":"ratelimited"})"}, 1'000},
      {{500, {}, "rollup_error"}, 1'000},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reply.body);
    Fake fake{{row.reply, {200, {}, R"({"ok":true})"}}, {}, 0};
    CHECK(code_of(fake, kToken) == 0);
    CHECK(fake.requests.size() == 2);
    CHECK(fake.now_ms == row.waited_ms);
  }
}
