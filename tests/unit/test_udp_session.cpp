#include <doctest/doctest.h>

#include <string>

#include "base/error.hpp"
#include "udp/session.hpp"

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kS = 1'000 * kMs;

udp::SessionRequest request(uint32_t clients = 2, double seconds = 10) {
  return {.clients = clients,
          .packet_size = 160,
          .bps = 64'000,
          .seconds = seconds,
          .echo = false,
          .jitter_buffer_ms = 60,
          .codec = udp::codec_named("g711")};
}

udp::Packet packet(uint32_t client, uint32_t sequence) {
  return {.kind = udp::Packet::Kind::voice,
          .client = client,
          .cookie = 0,
          .sequence = sequence,
          .intended_ns = sequence * 20 * kMs,
          .echoed_ns = 0};
}

udp::Address peer() {
  return udp::read_address("10.8.0.2").value();
}

// As the data thread does: a packet 5 ms on the way, by clocks that agree.
void arrive(udp::Sessions& sessions, uint64_t cookie, const udp::Packet& came) {
  sessions.locked([&](auto& all, udp::Tallies&) {
    udp::Session& session = all.at(cookie);
    session.receiver.take(came, 5 * kMs, 0, peer());
    session.last_packet_ns = udp::monotonic_ns();
  });
}

int code_of(const auto& what) {
  try {
    what();
  } catch (const base::Error& error) {
    return error.code();
  }
  return 0;
}

int code_of_open(udp::Sessions& sessions, const udp::SessionRequest& wanted) {
  return code_of([&] { sessions.open(wanted); });
}

}  // namespace

TEST_CASE("a receiver counts what came by second, and refuses callers that there are none of") {
  udp::Receiver receiver(2, 50, 3, 60);
  for (const uint32_t sequence : {0U, 1U, 1U, 60U, 59U}) {
    receiver.take(packet(1, sequence), 5 * kMs, 2 * kMs, peer());
  }
  CHECK_FALSE(receiver.take(packet(2, 0), 0, 0, peer()).is_counted);
  const udp::Received result = receiver.result();
  REQUIRE(result.flows.size() == 2);
  CHECK(result.flows[0].counts.received == 0);
  CHECK(result.flows[0].seen_as.empty());
  CHECK(result.flows[1].counts.received == 4);
  CHECK(result.flows[1].counts.duplicated == 1);
  CHECK(result.flows[1].counts.reordered == 1);
  CHECK(result.flows[1].delay.max_us == 3000);
  CHECK(result.flows[1].seen_as == "10.8.0.2:0");
  REQUIRE(result.seconds.size() == 2);
  CHECK(result.seconds[0].received == 2);
  CHECK(result.seconds[1].received == 2);
  CHECK(result.seconds[1].delay_sum_us == doctest::Approx(6000));
}

TEST_CASE("a packet of a second that the test cannot have takes no memory, but counts") {
  udp::Receiver receiver(1, 50, 3, 60);
  udp::Packet late = packet(0, 0);
  late.intended_ns = int64_t{200'000} * kS;
  receiver.take(late, 0, 0, peer());
  receiver.take(packet(0, 1), 0, 0, peer());
  CHECK(receiver.result().flows[0].counts.received == 2);
  CHECK(receiver.result().seconds.size() == 1);
  CHECK(receiver.second(200'000) == nullptr);
  CHECK(receiver.second(-1) == nullptr);
}

TEST_CASE("requests that make no sense and tests that are too long or too large are refused") {
  udp::Sessions sessions({.sessions = 2, .clients = 10, .seconds = 100});
  udp::SessionRequest wrong = request();
  wrong.packet_size = 10;
  CHECK(code_of_open(sessions, wrong) == base::exit_bad_input);
  wrong = request();
  wrong.bps = 0;
  CHECK(code_of_open(sessions, wrong) == base::exit_bad_input);
  CHECK(code_of_open(sessions, request(0)) == base::exit_bad_input);
  CHECK(code_of_open(sessions, request(1, 101)) == base::exit_retries_spent);
  CHECK(code_of_open(sessions, request(11)) == base::exit_retries_spent);
  CHECK(sessions.open_count() == 0);
}

TEST_CASE("no more sessions and callers than allowed; an ended one keeps nobody out") {
  udp::Sessions sessions({.sessions = 2, .clients = 10, .seconds = 100});
  const uint64_t first = sessions.open(request(4));
  const uint64_t second = sessions.open(request(4));
  CHECK(code_of_open(sessions, request(1)) == base::exit_retries_spent);  // a third
  sessions.end(first, std::nullopt);
  CHECK(code_of_open(sessions, request(4)) == 0);
  CHECK(code_of([&] { sessions.received(first); }) == 0);  // not reported yet, so not forgotten
  CHECK(sessions.take_ended(udp::monotonic_ns(), false).size() == 1);
  sessions.end(second, std::nullopt);
  CHECK(code_of_open(sessions, request(7)) == base::exit_retries_spent);  // 4 are open
  CHECK(code_of_open(sessions, request(6)) == 0);
  // The first one was forgotten for it.
  CHECK(code_of([&] { sessions.received(first); }) == base::exit_missing_input);
  CHECK(code_of([&] { sessions.received(second); }) == 0);
}

TEST_CASE("a client without connection and packets for 5 s has vanished, and is reported once") {
  udp::Sessions sessions({});
  const uint64_t cookie = sessions.open(request());
  sessions.begin(cookie, 1);
  arrive(sessions, cookie, packet(0, 0));
  const int64_t now = udp::monotonic_ns();
  CHECK(sessions.take_ended(now + 20 * kS, false).empty());  // it is connected
  sessions.set_connected(cookie, false);
  CHECK(sessions.take_ended(now + 4 * kS, false).empty());
  const auto ended = sessions.take_ended(now + 6 * kS, false);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].why == "the client vanished");
  CHECK(sessions.take_ended(now + 7 * kS, false).empty());
  CHECK(sessions.open_count() == 0);

  const udp::Report report = udp::session_report(ended[0]);
  CHECK(report.ended == "the client vanished");
  CHECK(report.totals.out.sent == 1);  // as far as was seen
  CHECK(report.totals.out.lost == 0);
}

TEST_CASE("packets that still come keep a session whose connection broke") {
  udp::Sessions sessions({});
  const uint64_t cookie = sessions.open(request());
  sessions.set_connected(cookie, false);
  const int64_t later = udp::monotonic_ns() + 20 * kS;
  sessions.locked([&](auto& all, udp::Tallies&) { all.at(cookie).last_packet_ns = later - kS; });
  CHECK(sessions.take_ended(later, false).empty());
}

TEST_CASE("a client that stays beyond its time is ended, connected or not") {
  udp::Sessions sessions({});
  sessions.open(request(1, 10));
  const int64_t now = udp::monotonic_ns();
  CHECK(sessions.take_ended(now + 35 * kS, false).empty());
  const auto ended = sessions.take_ended(now + 45 * kS, false);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].why == "the client did not end it in time");
}

TEST_CASE("a client that comes back late gets its report for a minute, and no second one is told") {
  udp::Sessions sessions({});
  const uint64_t cookie = sessions.open(request());
  arrive(sessions, cookie, packet(1, 0));
  sessions.set_connected(cookie, false);
  const int64_t now = udp::monotonic_ns();
  REQUIRE(sessions.take_ended(now + 6 * kS, false).size() == 1);
  sessions.set_connected(cookie, true);
  CHECK(sessions.received(cookie).flows[1].counts.received == 1);
  sessions.end(cookie, udp::Sent{});
  CHECK(sessions.take_ended(now + 7 * kS, false).empty());
  CHECK(sessions.take_ended(udp::monotonic_ns() + 61 * kS, false).empty());
  CHECK(code_of([&] { sessions.end(cookie, std::nullopt); }) == base::exit_missing_input);
}

TEST_CASE("a stop of the server ends and reports every session") {
  udp::Sessions sessions({});
  sessions.open(request());
  sessions.open(request());
  const auto ended = sessions.take_ended(udp::monotonic_ns(), true);
  REQUIRE(ended.size() == 2);
  CHECK(ended[0].why == "the server was stopped");
}

TEST_CASE("a session's tallies are those since it was opened") {
  udp::Sessions sessions({});
  sessions.locked([](auto&, udp::Tallies& tallies) {
    tallies = {.queue_drops = 5, .other = 6, .malformed = 7, .clock_steps = 1};
  });
  const uint64_t cookie = sessions.open(request());
  sessions.locked([](auto&, udp::Tallies& tallies) {
    tallies = {.queue_drops = 6, .other = 8, .malformed = 10, .clock_steps = 1};
  });
  const udp::Received received = sessions.received(cookie);
  CHECK(received.queue_drops == 1);
  CHECK(received.other == 2);
  CHECK(received.malformed == 3);
  CHECK(received.clock_steps == 0);
  CHECK_FALSE(received.is_bound_known);
}

TEST_CASE("progress tells of the last whole second, by the client's clock") {
  udp::Sessions sessions({});
  const uint64_t cookie = sessions.open(request());
  CHECK(sessions.progress(cookie).second == -1);  // it has not begun
  const int64_t ahead = 100 * kS;                 // the server's clock
  sessions.set_offset(cookie, {.offset_ns = ahead, .bound_ns = 3 * kMs});
  sessions.begin(cookie, udp::monotonic_ns() - ahead - 3 * kS - 500 * kMs);
  for (uint32_t i = 50; i < 60; ++i) arrive(sessions, cookie, packet(0, i));
  const udp::Sessions::Progress progress = sessions.progress(cookie);
  CHECK(progress.second == 1);
  CHECK(progress.result.received == 10);
  // The worst bound stays, whatever better ones come.
  sessions.set_offset(cookie, {.offset_ns = ahead, .bound_ns = kMs});
  CHECK(sessions.received(cookie).bound_us == 3001);
}

TEST_CASE("an end that tells of more seconds than the test had is refused") {
  udp::Sessions sessions({});
  const uint64_t cookie = sessions.open(request(1, 10));
  udp::Sent sent;
  sent.seconds.assign(1'000'000, 1);
  CHECK(code_of([&] { sessions.end(cookie, sent); }) == base::exit_bad_input);
  sent.seconds.assign(11, 1);
  CHECK(code_of([&] { sessions.end(cookie, sent); }) == 0);
}

TEST_CASE("many callers at a high rate take no more memory than a few") {
  // 100,000 callers that send 10,000 packets/s each: nobody's copies are known that far back.
  udp::Receiver receiver(100'000, 10'000, 1, 60);
  udp::Receiver few(10, 10'000, 1, 60);
  for (udp::Receiver* one : {&receiver, &few}) {
    one->take(packet(0, 0), 0, 0, peer());
    one->take(packet(0, 30'000), 0, 0, peer());
    one->take(packet(0, 1), 0, 0, peer());
  }
  CHECK(receiver.result().flows[0].counts.stale == 1);
  CHECK(few.result().flows[0].counts.reordered == 1);
}
