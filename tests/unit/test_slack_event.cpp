#include <doctest/doctest.h>

#include <string>

#include "json/read.hpp"
#include "json/value.hpp"
#include "json/write.hpp"
#include "slack/event.hpp"

namespace {

using Kind = slack::Delivery::Kind;

constexpr const char* kJson = "application/json";
constexpr const char* kForm = "application/x-www-form-urlencoded";

slack::Delivery read(const std::string& body, bool hear_bots = false) {
  return slack::read_delivery(body, kJson, hear_bots);
}

slack::Delivery read_form(const std::string& body) {
  return slack::read_delivery(body, kForm, false);
}

void set(json::Object& object, const std::string& name, const json::Value& value) {
  std::erase_if(object, [&](const json::Member& member) { return member.name == name; });
  object.push_back({name, value});
}

// A message in a channel, with those members of the event and of the envelope in place of its own.
std::string message(const json::Object& event_members, const json::Object& members = {}) {
  json::Object event{{"type", "message"}, {"channel", "C1"}, {"user", "U1"},
                     {"text", "hello"},   {"ts", "17.1"},    {"channel_type", "channel"}};
  for (const json::Member& member : event_members) set(event, member.name, member.value);
  json::Object envelope{
      {"type", "event_callback"},
      {"token", "t0ken"},
      {"team_id", "T1"},
      {"api_app_id", "A1"},
      {"event_id", "Ev1"},
      {"authorizations", json::Array{json::Object{{"user_id", "UBOT"}, {"is_bot", true}}}}};
  for (const json::Member& member : members) set(envelope, member.name, member.value);
  set(envelope, "event", event);
  return json::write(envelope);
}

std::string heard_text(const std::string& text, const json::Object& members = {}) {
  return read(message({{"text", text}}, members)).heard.text;
}

}  // namespace

TEST_CASE("a message is heard with where, who and what") {
  const auto delivery = read(message({{"thread_ts", "16.9"}}));
  CHECK(delivery.kind == Kind::heard);
  CHECK(delivery.token == "t0ken");
  CHECK(delivery.event_id == "Ev1");
  CHECK(delivery.reason == "");
  CHECK(delivery.heard.team == "T1");
  CHECK(delivery.heard.channel == "C1");
  CHECK(delivery.heard.user == "U1");
  CHECK(delivery.heard.text == "hello");
  CHECK(delivery.heard.ts == "17.1");
  CHECK(delivery.heard.thread_ts == "16.9");
  CHECK(delivery.heard.command == "");
  CHECK(delivery.heard.response_url == "");
  CHECK(!delivery.heard.is_direct);
  CHECK(!delivery.heard.is_mention);
}

TEST_CASE("a direct message is known by its type or its channel") {
  CHECK(read(message({{"channel_type", "im"}})).heard.is_direct);
  CHECK(read(message({{"channel_type", nullptr}, {"channel", "D1"}})).heard.is_direct);
  CHECK(!read(message({{"channel_type", "mpim"}, {"channel", "G1"}})).heard.is_direct);
}

TEST_CASE("what is heard, what is ignored and why") {
  struct {
    json::Object event;
    bool hear_bots;
    Kind kind;
    std::string reason;
  } const rows[] = {
      {{{"subtype", "thread_broadcast"}}, false, Kind::heard, ""},
      {{{"subtype", "file_share"}}, false, Kind::heard, ""},
      {{{"subtype", "me_message"}}, false, Kind::heard, ""},
      {{{"subtype", "message_changed"}}, false, Kind::ignored, "message_changed"},
      {{{"subtype", "message_deleted"}}, true, Kind::ignored, "message_deleted"},
      {{{"subtype", "channel_join"}}, true, Kind::ignored, "channel_join"},
      {{{"subtype", "message_changed"}, {"bot_id", "B2"}}, true, Kind::ignored, "message_changed"},
      {{{"subtype", "bot_add"}, {"bot_id", "B2"}}, true, Kind::ignored, "bot_add"},
      {{{"type", "app_mention"}}, false, Kind::heard, ""},
      {{{"type", "reaction_added"}}, true, Kind::ignored, "reaction_added"},
      {{{"type", "Message"}}, true, Kind::ignored, "Message"},
      {{{"type", ""}}, true, Kind::ignored, ""},
      {{{"bot_id", "B2"}}, false, Kind::ignored, "bot"},
      {{{"bot_id", "B2"}}, true, Kind::heard, ""},
      {{{"subtype", "bot_message"}}, false, Kind::ignored, "bot"},
      {{{"subtype", "bot_message"}, {"bot_id", "B2"}, {"user", nullptr}}, true, Kind::heard, ""},
      {{{"user", "UBOT"}}, false, Kind::ignored, "own message"},
      {{{"user", "UBOT"}, {"bot_id", "B1"}}, true, Kind::ignored, "own message"},
      {{{"channel", ""}}, false, Kind::broken, "no channel or ts"},
      {{{"ts", nullptr}}, false, Kind::broken, "no channel or ts"},
      {{{"text", nullptr}}, false, Kind::heard, ""},  // files without a word
  };
  for (const auto& row : rows) {
    CAPTURE(json::write(row.event));
    CAPTURE(row.hear_bots);
    const auto delivery = read(message(row.event), row.hear_bots);
    CHECK(delivery.kind == row.kind);
    CHECK(delivery.reason == row.reason);
  }
}

TEST_CASE("a bot that hears bots does not hear itself, also where no user is named") {
  const json::Object own{
      {"subtype", "bot_message"}, {"user", nullptr}, {"bot_id", "B1"}, {"app_id", "A1"}};
  json::Object other = own;
  set(other, "app_id", "A2");
  const json::Object no_authorizations{{"authorizations", nullptr}};
  CHECK(read(message(own), true).reason == "own message");
  CHECK(read(message(own, no_authorizations), true).reason == "own message");
  CHECK(read(message(other), true).kind == Kind::heard);
  set(other, "app_id", nullptr);
  CHECK(read(message(other, {{"api_app_id", nullptr}}), true).kind == Kind::heard);
}

TEST_CASE("in a shared channel the workspace is the bot's own, not that of who wrote") {
  const json::Array own{json::Object{{"user_id", "UBOT"}, {"team_id", "TOWN"}, {"is_bot", true}}};
  CHECK(read(message({}, {{"authorizations", own}})).heard.team == "TOWN");
  CHECK(read(message({}, {{"context_team_id", "TOWN"}})).heard.team == "TOWN");
  CHECK(read(message({})).heard.team == "T1");
}

TEST_CASE("an authorization may name the person who installed the app, who is heard") {
  const json::Array person{json::Object{{"user_id", "U1"}, {"is_bot", false}}};
  const auto delivery = read(message({}, {{"authorizations", person}}));
  CHECK(delivery.kind == Kind::heard);
  CHECK(delivery.heard.user == "U1");
}

TEST_CASE("envelopes of other types") {
  struct {
    std::string body;
    Kind kind;
    std::string reason;
  } const rows[] = {
      {R"({"type":"app_rate_limited","token":"t"})", Kind::ignored, "app_rate_limited"},
      {R"({"type":"event_callback"})", Kind::ignored, "event_callback"},
      {R"({"type":"event_callback","event":"message"})", Kind::ignored, "event_callback"},
      {R"({"type":"event_callback","event":[{"type":"message"}]})", Kind::ignored,
       "event_callback"},
      {R"({"event":{"type":"message"}})", Kind::ignored, "no type"},
      {R"({"type":["url_verification"]})", Kind::ignored, "no type"},
      {"{}", Kind::ignored, "no type"},
      {"", Kind::broken, "no JSON object"},
      {"  ", Kind::broken, "no JSON object"},
      {"null", Kind::broken, "no JSON object"},
      {"[]", Kind::broken, "no JSON object"},
      {"\"x\"", Kind::broken, "no JSON object"},
      {"{\"type\":", Kind::broken, "no JSON object"},
      {"{} {}", Kind::broken, "no JSON object"},
      {"{\"type\":\"\xFF\"}", Kind::broken, "no JSON object"},
      {std::string(100'000, '['), Kind::broken, "no JSON object"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body.substr(0, 80));
    const auto delivery = read(row.body);
    CHECK(delivery.kind == row.kind);
    CHECK(delivery.reason == row.reason);
  }
}

TEST_CASE("a challenge is given back as it is") {
  const auto delivery =
      read(R"({"type":"url_verification","token":"t","challenge":"<3eZbrw1&amp;>"})");
  CHECK(delivery.kind == Kind::challenge);
  CHECK(delivery.challenge == "<3eZbrw1&amp;>");
  CHECK(delivery.token == "t");
  CHECK(read(R"({"type":"url_verification","challenge":7})").challenge == "");
}

TEST_CASE("no member of a wrong type does harm") {
  const json::Value wrong[] = {nullptr,
                               true,
                               -1,
                               1e300,
                               "",
                               json::Array{},
                               json::Array{1, "x"},
                               json::Object{},
                               json::Object{{"user_id", 1}}};
  for (const char* name : {"type", "subtype", "user", "bot_id", "app_id", "channel", "ts",
                           "thread_ts", "channel_type", "text"}) {
    for (const json::Value& value : wrong) {
      CAPTURE(name);
      CAPTURE(json::write(value));
      const auto delivery = read(message({{name, value}}));
      const std::string member = name;
      const bool is_needed = member == "channel" || member == "ts";
      const Kind kind = member == "type" ? Kind::ignored : (is_needed ? Kind::broken : Kind::heard);
      CHECK(delivery.kind == kind);
      if (member == "text") CHECK(delivery.heard.text == "");
      if (member == "user") CHECK(delivery.heard.user == "");
    }
  }
  for (const char* name : {"token", "team_id", "event_id", "api_app_id", "authorizations"}) {
    for (const json::Value& value : wrong) {
      CAPTURE(name);
      CAPTURE(json::write(value));
      CHECK(read(message({}, {{name, value}})).kind == Kind::heard);
    }
  }
  for (const json::Value& value : wrong) {
    CAPTURE(json::write(value));
    CHECK(read(message({}, {{"authorizations", json::Array{value}}})).kind == Kind::heard);
  }
}

// --- The bot's name in front ---

TEST_CASE("the bot's name in front is taken off, with a colon or a comma behind it") {
  struct {
    std::string text;
    std::string heard;
    bool is_mention;
  } const rows[] = {
      {"<@UBOT> deploy", "deploy", true},
      {"<@UBOT>deploy", "deploy", true},
      {"  <@UBOT>:  deploy  ", "deploy", true},
      {"<@UBOT>, deploy", "deploy", true},
      {"<@UBOT> : deploy", "deploy", true},
      {"<@UBOT>:: deploy", ": deploy", true},
      {"<@UBOT|wheatley> deploy", "deploy", true},
      {"<@UBOT>", "", true},
      {"<@UBOT> <@UBOT> deploy", "<@UBOT> deploy", true},
      {"<@UBOT> tell <@U1> a|b", "tell <@U1> a|b", true},
      {"<@UBOT> a &lt;b&gt;", "a <b>", true},
      {"<@UBO> deploy", "<@UBO> deploy", false},
      {"<@UBOT2> deploy", "<@UBOT2> deploy", false},
      {"<@ubot> deploy", "<@ubot> deploy", false},
      {"deploy <@UBOT>", "deploy <@UBOT>", false},
      {"<@UBOT deploy", "<@UBOT deploy", false},
      {"<@|UBOT> deploy", "<@> deploy", false},
      {"<@>", "<@>", false},
      {"&lt;@UBOT&gt; deploy", "<@UBOT> deploy", false},
      {"<UBOT> deploy", "UBOT deploy", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto delivery = read(message({{"text", row.text}}));
    CHECK(delivery.heard.text == row.heard);
    CHECK(delivery.heard.is_mention == row.is_mention);
  }
}

TEST_CASE("without authorizations only app_mention tells that the bot was called") {
  const json::Object none{{"authorizations", json::Array{}}};
  const auto mention = read(message({{"type", "app_mention"}, {"text", "<@UX> deploy"}}, none));
  CHECK(mention.heard.text == "deploy");
  CHECK(mention.heard.is_mention);
  const auto plain = read(message({{"text", "<@UX> deploy"}}, none));
  CHECK(plain.heard.text == "<@UX> deploy");
  CHECK(!plain.heard.is_mention);
}

TEST_CASE("a mention later in the text is one, and stays") {
  const auto delivery = read(message({{"type", "app_mention"}, {"text", "hey <@UBOT>"}}));
  CHECK(delivery.heard.text == "hey <@UBOT>");
  CHECK(delivery.heard.is_mention);
}

// --- Text ---

TEST_CASE("text is what the person typed") {
  struct {
    std::string mrkdwn;
    std::string typed;
  } const rows[] = {
      {"", ""},
      {"plain *bold* `code`", "plain *bold* `code`"},
      {"a &amp; b &lt;c&gt;", "a & b <c>"},
      {"&amp;lt;", "&lt;"},
      {"&amp;amp;amp;", "&amp;amp;"},
      {"&amp;gt;&amp;", "&gt;&"},
      {"&quot; &#60; &LT; &lt &", "&quot; &#60; &LT; &lt &"},
      {"see <https://x.example/?a=1&amp;b=2>", "see https://x.example/?a=1&b=2"},
      {"<http://x.example|x.example>", "x.example"},
      {"<http://x.example|a &lt; b>", "a < b"},
      {"<http://x.example|a|b>", "a|b"},
      {"<http://x.example|>", "http://x.example"},
      {"<mailto:ada@x.example|ada@x.example>", "ada@x.example"},
      {"<tel:+15551|+1 555 1>", "+1 555 1"},
      {"<@U1>", "<@U1>"},
      {"<@U1|ada>", "<@U1>"},
      {"<#C1|general>", "#general"},
      {"<#C1|>", "#C1"},
      {"<#C1>", "#C1"},
      {"<!channel> <!here|here> <!everyone>", "@channel @here @everyone"},
      {"<!subteam^S1|@oncall>", "@oncall"},
      {"<!subteam^S1>", "<!subteam^S1>"},
      {"<!date^1392734382^{date}|Feb 18>", "Feb 18"},
      {"<>", ""},
      {"<|>", ""},
      {"a < b", "a < b"},
      {"a <b &amp; c", "a <b & c"},
      {"a > b", "a > b"},
      {"<https://a><https://b>", "https://ahttps://b"},
      {"<a<b>c", "a<bc"},
      {"<@U1", "<@U1"},
      {":smile: \xC3\xA4\xF0\x9F\x98\x80", ":smile: \xC3\xA4\xF0\x9F\x98\x80"},
      {"two\nlines", "two\nlines"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.mrkdwn);
    CHECK(slack::typed_text(row.mrkdwn) == row.typed);
  }
}

TEST_CASE("a zero byte goes nowhere, as it would cut an argument short") {
  for (const std::string& text : {std::string("a\0b", 3), std::string("\0ab", 3),
                                  std::string("ab\0", 3), std::string("<x\0|a\0b>", 8)}) {
    CAPTURE(text);
    CHECK(slack::typed_text(text) == "ab");
  }
  CHECK(slack::typed_text(std::string("a\0<b", 4)) == "a<b");
  CHECK(read(R"({"type":"event_callback","event":{"type":"message","channel":"C1","ts":"1",)"
             R"("text":"rm\u0000 x"}})")
            .heard.text == "rm x");
  CHECK(read_form("command=/a&channel_id=C1&user_id=U1&text=rm%00+x").heard.text == "rm x");
}

TEST_CASE("long texts cost no more than their length") {
  CHECK(slack::typed_text(std::string(200'000, '<')).size() == 200'000);
  CHECK(slack::typed_text(std::string(200'000, '>')).size() == 200'000);
  std::string links;
  for (int i = 0; i < 20'000; ++i) links += "<a|b>";
  CHECK(slack::typed_text(links) == std::string(20'000, 'b'));
  CHECK(heard_text("<@UBOT>" + std::string(200'000, ' ')) == "");
}

// --- Commands ---

TEST_CASE("a slash command is read from a form") {
  const auto delivery = read_form(
      "token=t&team_id=T1&channel_id=D1&channel_name=directmessage&user_id=U1&user_name=ada"
      "&command=%2Fdeploy&text=+web++to+%26lt%3Bprod%26gt%3B+&response_url=https%3A%2F%2Fx%2Fy");
  CHECK(delivery.kind == Kind::heard);
  CHECK(delivery.token == "t");
  CHECK(delivery.event_id == "");
  CHECK(delivery.heard.team == "T1");
  CHECK(delivery.heard.channel == "D1");
  CHECK(delivery.heard.channel_name == "directmessage");
  CHECK(delivery.heard.user == "U1");
  CHECK(delivery.heard.user_name == "ada");
  CHECK(delivery.heard.command == "/deploy");
  CHECK(delivery.heard.text == "web  to <prod>");
  CHECK(delivery.heard.response_url == "https://x/y");
  CHECK(delivery.heard.ts == "");
  CHECK(delivery.heard.is_direct);
}

TEST_CASE("forms that are no command") {
  struct {
    std::string body;
    Kind kind;
    std::string reason;
  } const rows[] = {
      {"ssl_check=1&token=t", Kind::ignored, "ssl_check"},
      {"ssl_check=1&command=/a&channel_id=C1&user_id=U1", Kind::ignored, "ssl_check"},
      {"ssl_check=0&command=/a&channel_id=C1&user_id=U1", Kind::heard, ""},
      {"payload=%7B%22type%22%3A%22block_actions%22%7D", Kind::ignored, "no command"},
      {"", Kind::ignored, "no command"},
      {"&&&=&", Kind::ignored, "no command"},
      {"command=", Kind::ignored, "no command"},
      {"command=/a", Kind::broken, "a command without channel or user"},
      {"command=/a&channel_id=C1", Kind::broken, "a command without channel or user"},
      {"command=/a&user_id=U1", Kind::broken, "a command without channel or user"},
      {R"({"type":"event_callback"})", Kind::ignored, "no command"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto delivery = read_form(row.body);
    CHECK(delivery.kind == row.kind);
    CHECK(delivery.reason == row.reason);
  }
}

TEST_CASE("a form with broken escapes is read as far as it goes") {
  const auto delivery =
      read_form("command=/a&channel_id=C1&user_id=U1&text=100%+%zz+%4+%C3%A4+%ff%");
  CHECK(delivery.kind == Kind::heard);
  CHECK(delivery.heard.text == "100% %zz %4 \xC3\xA4 \xFF%");
}

TEST_CASE("the content type decides what a body is") {
  const std::string form = "command=/a&channel_id=C1&user_id=U1";
  for (const char* type : {kForm, "Application/X-WWW-Form-Urlencoded; charset=utf-8"}) {
    CAPTURE(type);
    CHECK(slack::read_delivery(form, type, false).kind == Kind::heard);
  }
  for (const char* type : {"", kJson, "text/plain", "multipart/form-data"}) {
    CAPTURE(type);
    CHECK(slack::read_delivery(form, type, false).kind == Kind::broken);
    CHECK(slack::read_delivery(message({}), type, false).kind == Kind::heard);
  }
}
