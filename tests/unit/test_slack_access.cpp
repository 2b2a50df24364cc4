#include <doctest/doctest.h>

#include "base/error.hpp"
#include "slack/access.hpp"

namespace {

// A Slack that gives this reply at 1,700,000,100.
struct Fake {
  net::HttpResponse reply;
  net::HttpRequest request{};

  slack::Line line() {
    slack::Line line;
    line.http = [this](const net::HttpRequest& asked) {
      request = asked;
      return reply;
    };
    line.clock = {[] { return int64_t{0}; }, [] { return int64_t{1'700'000'100}; }, [](int64_t) {}};
    return line;
  }
};

const slack::Sender kToken{"", "xoxb-1", "https://slack.example/api"};

}  // namespace

TEST_CASE("auth.test tells who, what may be done, and the time") {
  Fake fake{
      {200,
       {{"x-oauth-scopes", "chat:write, files:write"}, {"date", "Tue, 14 Nov 2023 22:13:20 GMT"}},
       R"({"ok":true,"team":"Harbor\nx","user":"opsbelt"})"}};
  const slack::Identity identity = slack::who_am_i(kToken, fake.line());
  CHECK(fake.request.url == "https://slack.example/api/auth.test");
  CHECK(identity.user == "opsbelt");
  CHECK(identity.team == "Harbor x");
  CHECK(identity.ahead_s == 100);
  CHECK(slack::has_scope(identity, "chat:write"));
  CHECK(slack::has_scope(identity, "files:write"));
  CHECK_FALSE(slack::has_scope(identity, "chat:write.public"));
}

TEST_CASE("a token may have no scopes at all") {
  Fake fake{{200, {{"x-oauth-scopes", ""}}, R"({"ok":true})"}};
  CHECK_FALSE(slack::has_scope(slack::who_am_i(kToken, fake.line()), "chat:write"));
}

TEST_CASE("what Slack does not say is not known") {
  Fake fake{{200, {{"date", "soon"}}, R"({"ok":true})"}};
  const slack::Identity identity = slack::who_am_i(kToken, fake.line());
  CHECK_FALSE(identity.scopes);
  CHECK_FALSE(identity.ahead_s);
  CHECK(slack::has_scope(identity, "chat:write"));
}

TEST_CASE("a channel as Slack tells of it") {
  Fake fake{
      {200, {}, R"({"ok":true,"channel":{"name":"ops","is_member":true,"is_private":true}})"}};
  const slack::Conversation channel = slack::conversation_info(kToken, "C1", fake.line());
  CHECK(channel.id == "C1");
  CHECK(channel.name == "ops");
  CHECK(channel.is_member);
  CHECK(channel.is_private);
  CHECK_FALSE(channel.is_archived);
  CHECK(fake.request.body == "channel=C1");
  fake.reply.body = R"({"ok":false,"error":"channel_not_found"})";
  CHECK_THROWS_AS(slack::conversation_info(kToken, "C1", fake.line()), base::Error);
}

TEST_CASE("the scope of a method, where it is known") {
  CHECK(slack::scope_for("chat.postMessage") == "chat:write");
  CHECK(slack::scope_for("reactions.add") == "reactions:write");
  CHECK(slack::scope_for("admin.users.list").empty());
}
