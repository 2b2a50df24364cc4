#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "slack/socket_mode.hpp"

namespace {

const std::string kHello = R"({"type":"hello","num_connections":1})";
const std::string kEnd = "END";  // the connection breaks

std::string envelope(const std::string& id) {
  return R"({"envelope_id":")" + id + R"(","type":"events_api","payload":{"a":1}})";
}

std::string disconnect(const std::string& reason) {
  return R"({"type":"disconnect","reason":")" + reason + R"("})";
}

std::string ack(const std::string& id) {
  return R"({"envelope_id":")" + id + R"("})";
}

struct Event {
  int64_t after_ms;  // since the connection was opened
  std::string text;  // "": a sign of life, no message
};

// A Slack of scripts, one a connection, and a clock that only waiting moves.
struct Fake {
  struct Side {
    std::deque<Event> events;
    int64_t opened_ms = 0;
    int64_t closed_ms = -1;
    int64_t bytes = 0;
    std::vector<std::string> sent;
    std::vector<int64_t> pings_ms;
  };

  std::vector<std::vector<Event>> scripts;
  std::vector<net::HttpResponse> replies;  // the first ones; then all is well
  std::vector<int64_t> asked_ms;           // when apps.connections.open came
  std::vector<net::HttpRequest> requests;
  std::vector<std::string> urls;
  std::vector<std::shared_ptr<Side>> sides;
  std::vector<slack::Envelope> envelopes;
  std::vector<std::string> notices;
  std::string refuse_id;  // an envelope that on_envelope() does not take
  int64_t now_ms = 1'000'000;
  int64_t start_ms = now_ms;
  int64_t stop_ms = 20'000;  // since the start
  int64_t opening_takes_ms = 0;
  int fail_sends_of = -1;  // index of a connection that takes nothing
  double chance = 0;
  size_t most_open = 0;

  int64_t next_ms() const {
    int64_t next = start_ms + stop_ms;
    for (const auto& side : sides) {
      if (side->closed_ms >= 0 || side->events.empty()) continue;
      next = std::min(next, side->opened_ms + side->events.front().after_ms);
    }
    return next;
  }

  std::optional<std::string> receive(Side& side, int64_t wait_ms) {
    REQUIRE(side.closed_ms < 0);
    if (wait_ms > 0) now_ms = std::max(now_ms, std::min(now_ms + wait_ms, next_ms()));
    while (!side.events.empty() && side.opened_ms + side.events.front().after_ms <= now_ms) {
      const std::string text = side.events.front().text;
      side.events.pop_front();
      if (text == kEnd) throw base::Error(base::exit_retries_spent, "it broke");
      side.bytes += 10;
      if (!text.empty()) return text;
    }
    return std::nullopt;
  }

  net::WebSocket open(const std::string& url) {
    urls.push_back(url);
    now_ms += opening_takes_ms;
    const auto side = std::make_shared<Side>();
    side->opened_ms = now_ms;
    if (sides.size() < scripts.size()) {
      const auto& script = scripts[sides.size()];
      side->events.assign(script.begin(), script.end());
    }
    const bool takes_nothing = fail_sends_of == static_cast<int>(sides.size());
    sides.push_back(side);
    most_open = std::max(most_open, static_cast<size_t>(std::ranges::count_if(
                                        sides, [](auto& one) { return one->closed_ms < 0; })));
    net::WebSocket socket;
    socket.receive = [this, side](int64_t wait_ms, const std::vector<int>&) {
      return receive(*side, wait_ms);
    };
    socket.send_text = [side, takes_nothing](const std::string& text) {
      if (takes_nothing) throw base::Error(base::exit_retries_spent, "takes nothing");
      side->sent.push_back(text);
    };
    socket.send_ping = [this, side] { side->pings_ms.push_back(now_ms - side->opened_ms); };
    socket.close = [this, side] {
      if (side->closed_ms < 0) side->closed_ms = now_ms;
    };
    socket.received_bytes = [side] { return side->bytes; };
    return socket;
  }

  slack::SocketMode mode() {
    slack::SocketMode mode;
    mode.sender = {"", "xapp-secret", "https://slack.example/api"};
    mode.line.http = [this](const net::HttpRequest& request) -> net::HttpResponse {
      requests.push_back(request);
      asked_ms.push_back(now_ms - start_ms);
      REQUIRE(requests.size() < 1000);
      if (requests.size() <= replies.size()) return replies[requests.size() - 1];
      return {200, {}, R"({"ok":true,"url":"wss://wss.example/link/?ticket=secret"})"};
    };
    mode.line.clock = {[this] { return now_ms; }, [this] { return now_ms / 1000; },
                       [this](int64_t ms) { now_ms += ms; }};
    mode.open = [this](const std::string& url) { return open(url); };
    mode.on_envelope = [this](const slack::Envelope& one) {
      envelopes.push_back(one);
      return one.id != refuse_id;
    };
    mode.on_notice = [this](const std::string& line) { notices.push_back(line); };
    mode.stop_asked = [this] { return now_ms - start_ms >= stop_ms; };
    mode.pause = [this](int64_t ms) { now_ms = std::min(now_ms + ms, start_ms + stop_ms); };
    mode.chance = [this] { return chance; };
    return mode;
  }

  int code_of(const slack::SocketMode& mode) {
    try {
      slack::run_socket_mode(mode);
      return 0;
    } catch (const base::Error& error) {
      notices.emplace_back(error.what());
      return error.code();
    }
  }

  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const slack::Envelope& one : envelopes) ids.push_back(one.id);
    return ids;
  }
};

using Texts = std::vector<std::string>;
using Times = std::vector<int64_t>;

net::HttpResponse no(const std::string& word) {
  return {200, {}, R"({"ok":false,"error":")" + word + R"("})"};
}

}  // namespace

TEST_CASE("an envelope is given whole and acknowledged if it is taken") {
  Fake fake;
  fake.refuse_id = "e2";
  fake.scripts = {{{10, kHello},
                   {20, R"({"envelope_id":"e1","type":"slash_commands","payload":{"command":"/x"},
                        "accepts_response_payload":true,"retry_attempt":2,"retry_reason":"timeout"})"},
                   {30, envelope("e2")},
                   {40, envelope("e3")}}};
  slack::run_socket_mode(fake.mode());
  CHECK(fake.ids() == Texts{"e1", "e2", "e3"});
  const slack::Envelope& first = fake.envelopes.front();
  CHECK(first.type == "slash_commands");
  CHECK(json::string_at(first.payload, "command") == "/x");
  CHECK(first.accepts_response_payload);
  CHECK(first.retry_attempt == 2);
  CHECK(first.retry_reason == "timeout");
  CHECK_FALSE(fake.envelopes[1].accepts_response_payload);
  CHECK(fake.envelopes[1].retry_attempt == 0);
  CHECK(fake.sides.size() == 1);
  CHECK(fake.sides[0]->sent == Texts{ack("e1"), ack("e3")});
  CHECK(fake.sides[0]->closed_ms >= 0);
  CHECK(fake.urls == Texts{"wss://wss.example/link/?ticket=secret"});
  CHECK(fake.requests[0].url == "https://slack.example/api/apps.connections.open");
  CHECK(fake.requests[0].headers.back().second == "Bearer xapp-secret");
}

TEST_CASE("acknowledgements of other threads, with and without a payload") {
  Fake fake;
  fake.refuse_id = "e1";
  fake.scripts = {{{10, kHello}, {20, envelope("e1")}, {2'000, envelope("e2")}}};
  slack::AcknowledgementQueue queue;
  slack::SocketMode mode = fake.mode();
  mode.acknowledgements = &queue;
  mode.on_envelope = [&](const slack::Envelope& one) {
    if (one.id == "e2") return true;
    std::thread([&] {
      queue.add({"e1", json::Object{{"text", "hi"}}});
      queue.add({"e0", std::nullopt});
    }).join();
    return false;
  };
  slack::run_socket_mode(mode);
  CHECK(fake.sides[0]->sent ==
        Texts{R"({"envelope_id":"e1","payload":{"text":"hi"}})", ack("e0"), ack("e2")});
}

TEST_CASE("the queue's descriptor is readable as long as something is in it") {
  slack::AcknowledgementQueue queue;
  const auto readable = [&] {
    pollfd one{queue.descriptor(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
  };
  CHECK_FALSE(readable());
  queue.add({"e1", std::nullopt});
  queue.add({"e2", std::nullopt});
  CHECK(readable());
  CHECK(queue.take().size() == 2);
  CHECK_FALSE(readable());
  CHECK(queue.take().empty());
}

TEST_CASE("what is queued when the stop comes is still sent") {
  Fake fake;
  fake.scripts = {{{10, kHello}}};
  slack::AcknowledgementQueue queue;
  slack::SocketMode mode = fake.mode();
  mode.acknowledgements = &queue;
  bool added = false;
  mode.stop_asked = [&] {
    const bool stop = fake.now_ms - fake.start_ms >= 5'000;
    if (stop && !added) queue.add({"late", std::nullopt});
    added = stop;
    return stop;
  };
  slack::run_socket_mode(mode);
  CHECK(fake.sides[0]->sent == Texts{ack("late")});
  CHECK(fake.sides[0]->closed_ms >= 0);
}

TEST_CASE(
    "a connection that Slack recycles is left after the next one is there, and loses nothing") {
  for (const char* reason : {"warning", "refresh_requested"}) {
    CAPTURE(reason);
    Fake fake;
    fake.opening_takes_ms = 300;
    fake.stop_ms = 30'000;
    fake.scripts = {{{10, kHello},
                     {15'000, disconnect(reason)},
                     {15'100, envelope("while it is opened")},
                     {15'400, envelope("before the hello")},
                     {16'500, envelope("after the hello")}},
                    {{200, kHello}, {3'000, envelope("on the new one")}}};
    slack::run_socket_mode(fake.mode());
    CHECK(fake.ids() ==
          Texts{"while it is opened", "before the hello", "after the hello", "on the new one"});
    REQUIRE(fake.sides.size() == 2);
    CHECK(fake.sides[0]->sent ==
          Texts{ack("while it is opened"), ack("before the hello"), ack("after the hello")});
    CHECK(fake.sides[1]->sent == Texts{ack("on the new one")});
    CHECK(fake.asked_ms[1] == 15'300);  // the opening of the first took 300
    const int64_t hello_ms = fake.sides[1]->opened_ms + 200;
    CHECK(fake.sides[0]->closed_ms >= hello_ms + 10'000);
    CHECK(fake.sides[0]->closed_ms <= hello_ms + 11'000);
    CHECK(fake.most_open == 2);
  }
}

TEST_CASE("the old connection serves on while the new one can't be had") {
  Fake fake;
  fake.stop_ms = 30'000;
  const net::HttpResponse fine = {200, {}, R"({"ok":true,"url":"wss://a.example"})"};
  fake.replies = {fine, {503, {}, ""}, {503, {}, ""}};
  fake.scripts = {
      {{10, kHello}, {15'000, disconnect("warning")}, {16'500, envelope("e1")}, {17'000, kEnd}},
      {{200, kHello}}};
  slack::run_socket_mode(fake.mode());
  CHECK(fake.ids() == Texts{"e1"});
  CHECK(fake.sides[0]->sent == Texts{ack("e1")});
  CHECK(fake.asked_ms == Times{0, 15'000, 16'000, 18'000});
}

TEST_CASE("link_disabled is a matter of configuration") {
  Fake fake;
  fake.scripts = {{{10, kHello}, {20, disconnect("link_disabled")}}};
  CHECK(fake.code_of(fake.mode()) == 78);
  CHECK(fake.sides.size() == 1);
}

TEST_CASE("any other reason is a connection lost, left before the next") {
  for (const char* reason : {"too_many_websockets", ""}) {
    Fake fake;
    fake.stop_ms = 15'000;
    fake.scripts = {{{10, kHello}, {12'000, disconnect(reason)}}, {{10, kHello}}};
    slack::run_socket_mode(fake.mode());
    CHECK(fake.asked_ms == Times{0, 12'000});
    CHECK(fake.most_open == 1);
  }
}

TEST_CASE("a broken connection is followed by another, with the acknowledgement it did not take") {
  Fake fake;
  fake.stop_ms = 30'000;
  fake.fail_sends_of = 0;
  fake.scripts = {{{10, kHello}, {12'000, envelope("e1")}}, {{10, kHello}}};
  slack::run_socket_mode(fake.mode());
  CHECK(fake.ids() == Texts{"e1"});
  REQUIRE(fake.sides.size() == 2);
  CHECK(fake.sides[0]->closed_ms >= 0);
  CHECK(fake.sides[1]->sent == Texts{ack("e1")});
}

TEST_CASE("waits between failed attempts grow to 30 s and are never shorter than 1 s") {
  struct Row {
    double chance;
    Times asked_ms;
  };
  const Row rows[] = {
      {0, {0, 1'000, 3'000, 7'000, 15'000, 31'000, 51'000, 71'000}},
      {1, {0, 1'500, 4'500, 10'500, 22'500, 46'500, 76'500}},
  };
  for (const Row& row : rows) {
    Fake fake;
    fake.chance = row.chance;
    fake.stop_ms = 80'000;
    fake.replies.assign(50, {503, {}, ""});
    slack::run_socket_mode(fake.mode());
    CHECK(fake.asked_ms == row.asked_ms);
  }
}

TEST_CASE("connections that do not hold are not opened again and again at once") {
  Fake fake;
  fake.stop_ms = 9'000;
  for (int i = 0; i < 20; ++i) fake.scripts.push_back({{10, kHello}, {20, disconnect("warning")}});
  slack::run_socket_mode(fake.mode());
  CHECK(fake.asked_ms == Times{0, 20, 1'040, 3'060, 7'080});
  CHECK(fake.most_open <= 3);
}

TEST_CASE("a connection that held lets the waits begin anew") {
  Fake fake;
  fake.stop_ms = 25'000;
  fake.replies.assign(3, {503, {}, ""});
  fake.scripts = {{{10, kHello}, {11'000, kEnd}}, {{10, kHello}, {1'000, kEnd}}};
  slack::run_socket_mode(fake.mode());
  CHECK(fake.asked_ms == Times{0, 1'000, 3'000, 7'000, 18'000, 20'000});
}

TEST_CASE("Retry-After is obeyed") {
  Fake fake;
  fake.replies = {{429, {{"retry-after", "25"}}, ""}};
  fake.stop_ms = 30'000;
  slack::run_socket_mode(fake.mode());
  CHECK(fake.asked_ms.front() == 0);
  CHECK(fake.asked_ms[1] == 25'000);
}

TEST_CASE("gives up with the last error when the budget is spent") {
  Fake fake;
  fake.stop_ms = 60'000;
  fake.replies.assign(50, no("service_unavailable"));
  slack::SocketMode mode = fake.mode();
  mode.budget_ms = 10'000;
  CHECK(fake.code_of(mode) == 69);
  CHECK(fake.asked_ms == Times{0, 1'000, 3'000, 7'000});
  CHECK(fake.notices.back().find("service_unavailable") != std::string::npos);

  Fake silent;
  silent.stop_ms = 60'000;  // connections are opened, but nobody says hello
  mode = silent.mode();
  mode.budget_ms = 30'000;
  CHECK(silent.code_of(mode) == 75);
}

TEST_CASE("the budget counts from the last connection, not from the start") {
  Fake fake;
  fake.stop_ms = 40'000;
  fake.scripts = {{{10, kHello}, {15'000, ""}, {30'000, kEnd}}, {{10, kHello}}};
  slack::SocketMode mode = fake.mode();
  mode.budget_ms = 5'000;
  CHECK(fake.code_of(mode) == 0);
  CHECK(fake.sides.size() == 2);
}

TEST_CASE("what time does not heal ends the run at once") {
  struct Row {
    net::HttpResponse reply;
    int code;
  };
  const Row rows[] = {{no("invalid_auth"), 77},
                      {no("not_allowed_token_type"), 77},
                      {{401, {}, ""}, 77},
                      {no("unknown_method"), 78},
                      {no("never_heard_of"), 1},
                      {{404, {}, "<html>"}, 76},
                      {{200, {}, R"({"ok":true})"}, 76}};
  for (const Row& row : rows) {
    CAPTURE(row.reply.body);
    Fake fake;
    fake.replies = {row.reply};
    CHECK(fake.code_of(fake.mode()) == row.code);
    CHECK(fake.requests.size() == 1);
    CHECK(fake.notices.back().find("secret") == std::string::npos);
    if (row.code == 77) CHECK(fake.notices.back().find("connections:write") != std::string::npos);
  }
}

TEST_CASE("a page of something between passes, once Slack was reached") {
  Fake fake;
  fake.stop_ms = 20'000;
  fake.replies = {{200, {}, R"({"ok":true,"url":"wss://a.example"})"}, {404, {}, "<html>"}};
  fake.scripts = {{{10, kHello}, {12'000, kEnd}}, {{10, kHello}}};
  CHECK(fake.code_of(fake.mode()) == 0);
  CHECK(fake.sides.size() == 2);
}

TEST_CASE("a URL that is refused is asked for anew") {
  Fake fake;
  fake.stop_ms = 5'000;
  slack::SocketMode mode = fake.mode();
  int opened = 0;
  mode.open = [&](const std::string& url) {
    if (++opened == 1) throw base::Error(base::exit_refused, "HTTP 403");
    return fake.open(url);
  };
  CHECK(fake.code_of(mode) == 0);
  CHECK(fake.asked_ms == Times{0, 1'000});
  mode.open = [](const std::string&) -> net::WebSocket {
    throw base::Error(base::exit_configuration, "no CA");
  };
  Fake other;
  mode.line = other.mode().line;
  mode.stop_asked = [] { return false; };
  CHECK(other.code_of(mode) == 78);
}

TEST_CASE("without a hello the connection is lost") {
  Fake fake;
  fake.stop_ms = 15'000;
  fake.scripts = {{{5'000, ""}}, {{10, kHello}}};
  slack::run_socket_mode(fake.mode());
  CHECK(fake.asked_ms == Times{0, 11'000});  // 10 s for the hello, 1 s between the attempts
  CHECK(fake.sides[0]->closed_ms >= 0);
}

TEST_CASE("silence is answered with a ping, and a dead peer with another connection") {
  Fake fake;
  fake.stop_ms = 100'000;
  fake.scripts = {{{0, kHello}, {15'000, ""}, {30'000, ""}, {52'000, ""}}, {{10, kHello}}};
  slack::run_socket_mode(fake.mode());
  CHECK(fake.sides[0]->pings_ms == Times{50'000, 72'000});
  REQUIRE(fake.asked_ms.size() >= 2);
  CHECK(fake.asked_ms[1] == 82'000);
  CHECK(fake.sides[0]->closed_ms == fake.start_ms + 82'000);
}

TEST_CASE("what is no JSON object is passed over") {
  Fake fake;
  fake.scripts = {{{0, kHello}, {10, "<html>"}, {20, "[1]"}, {25, "{}"}, {30, envelope("e1")}}};
  CHECK(fake.code_of(fake.mode()) == 0);
  CHECK(fake.ids() == Texts{"e1"});
  CHECK(fake.sides.size() == 1);
}

TEST_CASE("a stop ends a wait between attempts") {
  Fake fake;
  fake.stop_ms = 500;
  fake.replies.assign(5, {503, {}, ""});
  CHECK(fake.code_of(fake.mode()) == 0);
  CHECK(fake.now_ms - fake.start_ms == 500);
}
