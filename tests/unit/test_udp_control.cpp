#include <doctest/doctest.h>

#include "base/error.hpp"
#include "udp/control.hpp"

using namespace udp;

namespace {

template <typename Words>
Words there_and_back(const Words& words) {
  const std::string line = control::write(words);
  CHECK(line.find('\n') == line.size() - 1);
  const std::optional<control::Message> read = control::read(line);
  REQUIRE(read);
  REQUIRE(std::holds_alternative<Words>(*read));
  return std::get<Words>(*read);
}

FlowResult flow(uint64_t number) {
  FlowResult flow;
  flow.counts = {.received = number,
                 .duplicated = number + 1,
                 .reordered = number + 2,
                 .late = number + 3,
                 .expected = number + 4,
                 .stale = number + 5};
  flow.delay = {.mean_us = 1.5, .p50_us = 1, .p95_us = 2, .p99_us = 3, .max_us = 4};
  flow.jitter_mean_us = 29.125;
  flow.jitter_max_us = 1000;
  flow.seen_as = "[fd00::2%3]:5001";
  return flow;
}

control::FinalReport report_of(uint32_t clients) {
  control::FinalReport report;
  for (uint64_t i = 0; i < clients; ++i) report.received.flows.push_back(flow(i * 500));
  report.received.delay.add(7, 3);
  report.received.delay.add(1'000'000, 2);
  report.echoes.assign(clients, 500);
  return report;
}

std::string why_not(const std::string& line) {
  try {
    control::read(line);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_malformed_reply);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a hello asks for what the client wants") {
  SessionRequest request;
  request.clients = 65'000;
  request.packet_size = 60;
  request.bps = 65'000.5;
  request.seconds = 3600;
  request.echo = true;
  request.jitter_buffer_ms = 80;
  request.codec = {.name = "g729", .ie = 11, .bpl = 19, .frame_ms = 20};
  const SessionRequest read = there_and_back(control::Hello{request}).request;
  CHECK(read.clients == 65'000);
  CHECK(read.packet_size == 60);
  CHECK(read.bps == 65'000.5);
  CHECK(read.seconds == 3600);
  CHECK(read.echo);
  CHECK(read.jitter_buffer_ms == 80);
  CHECK(read.codec.name == "g729");
  CHECK(read.codec.ie == 11);
  CHECK(read.codec.bpl == 19);
  CHECK(read.codec.frame_ms == 20);
}

TEST_CASE("a cookie keeps all its bits") {
  for (const uint64_t cookie :
       {uint64_t{0}, uint64_t{1}, uint64_t{0xfedcba9876543210}, UINT64_MAX}) {
    CHECK(there_and_back(control::Resume{cookie}).cookie == cookie);
    CHECK(there_and_back(control::Welcome{.cookie = cookie, .echo = true}).cookie == cookie);
  }
  CHECK(control::write(control::Resume{10}) == "{\"resume\":\"000000000000000a\"}\n");
}

TEST_CASE("times keep their nanoseconds, also below zero") {
  const control::Pong pong =
      there_and_back(control::Pong{.t1_ns = 123'456'789'012'345'678, .t2_ns = -5, .t3_ns = 0});
  CHECK(pong.t1_ns == 123'456'789'012'345'678);
  CHECK(pong.t2_ns == -5);
  CHECK(pong.t3_ns == 0);
  CHECK(there_and_back(control::Ping{7}).t1_ns == 7);
  CHECK(there_and_back(control::Begin{-8}).begin_ns == -8);
  const Offset offset =
      there_and_back(control::OffsetIs{{.offset_ns = -1'000'000'001, .bound_ns = 60'000}}).offset;
  CHECK(offset.offset_ns == -1'000'000'001);
  CHECK(offset.bound_ns == 60'000);
}

TEST_CASE("a second and an end arrive whole") {
  Sessions::Progress progress;
  progress.second = 4;
  progress.result = {.received = 50'000,
                     .late = 3,
                     .delay_sum_us = 1.25,
                     .delay_max_us = 17,
                     .jitter_sum_us = 0.5};
  const Sessions::Progress read = there_and_back(control::Second{progress}).progress;
  CHECK(read.second == 4);
  CHECK(read.result.received == 50'000);
  CHECK(read.result.late == 3);
  CHECK(read.result.delay_sum_us == 1.25);
  CHECK(read.result.delay_max_us == 17);
  CHECK(read.result.jitter_sum_us == 0.5);

  Sent sent;
  sent.packets = {500, 499};
  sent.errors = {0, 1};
  sent.seconds = {50, 51, 52};
  const Sent end = there_and_back(control::End{sent}).sent;
  CHECK(end.packets == sent.packets);
  CHECK(end.errors == sent.errors);
  CHECK(end.seconds == sent.seconds);
}

TEST_CASE("a report arrives whole") {
  control::FinalReport report = report_of(3);
  Received& out = report.received;
  out.seconds.push_back(
      {.received = 1, .late = 2, .delay_sum_us = 3.5, .delay_max_us = 4, .jitter_sum_us = 5.5});
  out.queue_drops = 1;
  out.other = 2;
  out.malformed = 3;
  out.clock_steps = 4;
  out.bound_us = 5;
  out.is_bound_known = true;
  report.echoes = {7, 8, 9};
  const control::FinalReport read = there_and_back(report);
  const Received& in = read.received;
  REQUIRE(in.flows.size() == 3);
  const FlowResult& last = in.flows[2];
  CHECK(last.counts.received == 1000);
  CHECK(last.counts.duplicated == 1001);
  CHECK(last.counts.reordered == 1002);
  CHECK(last.counts.late == 1003);
  CHECK(last.counts.expected == 1004);
  CHECK(last.counts.stale == 1005);
  CHECK(last.delay.mean_us == 1.5);
  CHECK(last.delay.p50_us == 1);
  CHECK(last.delay.p95_us == 2);
  CHECK(last.delay.p99_us == 3);
  CHECK(last.delay.max_us == 4);
  CHECK(last.jitter_mean_us == 29.125);
  CHECK(last.jitter_max_us == 1000);
  CHECK(last.seen_as == "[fd00::2%3]:5001");
  REQUIRE(in.seconds.size() == 1);
  CHECK(in.seconds[0].received == 1);
  CHECK(in.seconds[0].late == 2);
  CHECK(in.seconds[0].delay_sum_us == 3.5);
  CHECK(in.seconds[0].delay_max_us == 4);
  CHECK(in.seconds[0].jitter_sum_us == 5.5);
  CHECK(in.delay.buckets() == out.delay.buckets());
  CHECK(in.delay.sum_us() == out.delay.sum_us());
  CHECK(in.delay.max_us() == 1'000'000);
  CHECK(in.queue_drops == 1);
  CHECK(in.other == 2);
  CHECK(in.malformed == 3);
  CHECK(in.clock_steps == 4);
  CHECK(in.bound_us == 5);
  CHECK(in.is_bound_known);
  CHECK(read.echoes == report.echoes);
}

TEST_CASE("a caller takes no more than 120 bytes of a report") {
  control::FinalReport report = report_of(10'000);
  for (FlowResult& one : report.received.flows) one.jitter_mean_us = 1.0 / 3;
  const std::string line = control::write(report);
  CHECK(line.size() < 1'200'000);
  const auto read = control::read(line);
  REQUIRE(read);
  CHECK(std::get<control::FinalReport>(*read).received.flows[9999].jitter_mean_us == 0.333);
}

TEST_CASE("what is no message is refused with its reason") {
  struct Row {
    const char* line;
    const char* reason;
  };
  const Row rows[] = {
      {"", "no JSON object"},
      {"GET / HTTP/1.1\r", "no JSON object"},
      {"[]", "no JSON object"},
      {"{\"ping\":1", "no JSON object"},
      {R"({"ping":"1"})", "'ping' is no whole number"},
      {R"({"ping":1.5})", "'ping' is no whole number"},
      {R"({"ping":9223372036854775807})", "'ping' is no whole number"},
      {R"({"ping":18446744073709551615})", "'ping' is no whole number"},
      {R"({"pong":1,"t2":2})", "'t3' is missing"},
      {R"({"offset_ns":1,"bound_ns":-1})", "'bound_ns' is no whole number"},
      {R"({"resume":"12"})", "'resume' is no session's name"},
      {R"({"resume":"00000000000000AG"})", "'resume' is no session's name"},
      {R"({"hello":2})", "speaks version 2"},
      {R"({"hello":1})", "'clients' is missing"},
      {R"({"hello":1,"clients":0})", "'clients' is no whole number from 1"},
      {R"({"hello":1,"clients":4294967296})", "'clients' is no whole number from 1"},
      {R"({"hello":1,"clients":1,"packet_size":160,"bps":-1})", "'bps' is no number"},
      {R"({"hello":1,"clients":1,"packet_size":160,"bps":1e300})", "'bps' is no number"},
      {R"({"end":{}})", "'packets' is missing"},
      {R"({"end":{"packets":[-1],"errors":[0],"seconds":[]}})", "'packets' is no whole number"},
      {R"({"end":{"packets":1,"errors":[0],"seconds":[]}})", "'packets' is no list"},
      {R"({"report":{"received":[1,2],"duplicated":[1]}})", "'duplicated' has 1 values, not 2"},
      {R"({"report":7})", "'received' is missing"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(why_not(row.line).find(row.reason) != std::string::npos);
  }
}

TEST_CASE("a report that can't be is refused") {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string line = control::write(report_of(1));
    const size_t at = line.find(from);
    REQUIRE(at != std::string::npos);
    return why_not(line.replace(at, from.size(), to));
  };
  CHECK(changed("[7,3]", "[4000000,3]").find("no such bucket") != std::string::npos);
  CHECK(changed("[7,3]", "[7]").find("no pair") != std::string::npos);
  CHECK(changed("[fd00", "\\u001b[fd00").find("'seen_as' is no plain text") != std::string::npos);
  CHECK(changed("\"echoes\":[500]", "\"echoes\":[]").find("'echoes'") != std::string::npos);
}

TEST_CASE("a newer version may say more than this one knows") {
  CHECK_FALSE(control::read(R"({"weather":"fine"})"));
  CHECK_FALSE(control::read("{}"));
  const auto read = control::read(R"({"ping":3,"weather":"fine"})");
  REQUIRE(read);
  CHECK(std::get<control::Ping>(*read).t1_ns == 3);
}

TEST_CASE("a refusal can't speak to the terminal") {
  const auto read = control::read(R"({"error":"no\u001b[2J\nroom","code":75})");
  REQUIRE(read);
  CHECK(std::get<control::Refusal>(*read).text == "no?[2J?room");
  CHECK(std::get<control::Refusal>(*read).code == 75);
}
