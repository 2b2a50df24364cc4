#include "udp/control_opening.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"

namespace udp {

namespace {

constexpr int kExchanges = 16;
constexpr int64_t kLookForStopMs = 100;
constexpr size_t kMostLine = 268'435'456;  // a report of a million callers

// Until some have come.
void await_words(LineSocket& socket, int64_t until_ms) {
  while (true) {
    const int64_t left_ms = until_ms - base::monotonic_ms();
    if (base::stop_asked()) {
      throw base::Error(base::exit_interrupted, "stopped before the server answered");
    }
    if (left_ms <= 0) {
      throw base::Error(base::exit_unavailable,
                        "the server does not answer on the control channel; is it " PRODUCT_NAME
                        " udp-load, and is it not overloaded?");
    }
    pollfd one{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, static_cast<int>(std::min(left_ms, kLookForStopMs))) <= 0) continue;
    if (socket.receive()) return;
    throw base::Error(
        base::exit_unavailable,
        fmt::format("the server broke off the control connection: {}; is this machine in its "
                    "--allow, and is it {} udp-load?",
                    socket.why(), PRODUCT_NAME));
  }
}

void refuse_endless(const LineSocket& socket) {
  if (socket.unfinished() <= kMostLine) return;
  throw base::Error(base::exit_malformed_reply, "the server's words have no end");
}

control::Message await(LineSocket& socket, int64_t until_ms) {
  while (true) {
    if (std::optional<control::Message> message = next_message(socket)) return *message;
    await_words(socket, until_ms);
  }
}

control::Welcome await_welcome(LineSocket& socket, int64_t until_ms) {
  const control::Message answer = await(socket, until_ms);
  if (const auto* refusal = std::get_if<control::Refusal>(&answer)) {
    throw base::Error(base::exit_unavailable, "the server refuses the test: " + refusal->text);
  }
  if (const auto* welcome = std::get_if<control::Welcome>(&answer)) return *welcome;
  throw base::Error(base::exit_malformed_reply,
                    "the server does not answer a hello with a welcome");
}

OffsetEstimate compare_clocks(LineSocket& socket, int64_t until_ms) {
  OffsetEstimate estimate;
  for (int i = 0; i < kExchanges; ++i) {
    say(socket, control::Ping{monotonic_ns()});
    while (true) {
      const control::Message answer = await(socket, until_ms);
      const auto* pong = std::get_if<control::Pong>(&answer);
      if (pong == nullptr) continue;
      estimate.add(pong->t1_ns, pong->t2_ns, pong->t3_ns, socket.received_ns());
      break;
    }
  }
  return estimate;
}

}  // namespace

void say(LineSocket& socket, const std::string& text) {
  if (!socket.send(text)) throw base::Error(base::exit_unavailable, socket.why());
}

void say(LineSocket& socket, const control::Message& message) {
  say(socket, control::write(message));
}

std::optional<control::Message> next_message(LineSocket& socket) {
  while (const std::optional<std::string> line = socket.next_line()) {
    if (std::optional<control::Message> message = control::read(*line)) return message;
  }
  refuse_endless(socket);
  return std::nullopt;
}

// An older server passes over the question and refuses the ping, as that is no hello.
std::optional<control::Abilities> ask_abilities(LineSocket& socket, int64_t answer_ms) {
  const int64_t until_ms = base::monotonic_ms() + answer_ms;
  say(socket, control::write(control::About{}) + control::write(control::Ping{monotonic_ns()}));
  std::optional<std::string> line;
  while (!(line = socket.next_line())) {
    refuse_endless(socket);
    await_words(socket, until_ms);
  }
  if (const std::optional<control::Message> answer = control::read(*line)) {
    if (const auto* abilities = std::get_if<control::Abilities>(&*answer)) return *abilities;
    if (std::holds_alternative<control::Refusal>(*answer)) return std::nullopt;
  }
  throw base::Error(base::exit_malformed_reply, "the server does not say what it can do");
}

Opening open_session(LineSocket& socket, const SessionRequest& request, int64_t answer_ms) {
  const int64_t until_ms = base::monotonic_ms() + answer_ms;
  say(socket, control::Hello{request});
  const control::Welcome welcome = await_welcome(socket, until_ms);
  Opening opening{welcome.cookie, welcome.echo, compare_clocks(socket, until_ms), {}};
  opening.offset = opening.estimate.at(monotonic_ns());
  if (opening.offset.bound_ns > answer_ms * 1'000'000) {
    throw base::Error(base::exit_malformed_reply, "the server's times make no sense");
  }
  say(socket, control::OffsetIs{opening.offset});
  return opening;
}

}  // namespace udp
