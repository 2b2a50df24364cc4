#include "udp/control_question.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"

namespace udp {

namespace {

constexpr int64_t kLookForStopMs = 100;
constexpr size_t kMostAnswer = 4'096;

base::Error not_a_server(const std::string& what) {
  return {base::exit_unavailable,
          fmt::format("{}; is it {} udp-load, and is this machine in its --allow?", what,
                      PRODUCT_NAME)};
}

std::string first_line(LineSocket& socket, int64_t until_ms) {
  while (true) {
    if (std::optional<std::string> line = socket.next_line()) return *line;
    if (socket.unfinished() > kMostAnswer) {
      throw base::Error(base::exit_malformed_reply, "the server's words have no end");
    }
    if (base::stop_asked()) {
      throw base::Error(base::exit_interrupted, "stopped before the server answered");
    }
    const int64_t left_ms = until_ms - base::monotonic_ms();
    if (left_ms <= 0) throw not_a_server("the server does not answer on the control channel");
    pollfd one{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, static_cast<int>(std::min(left_ms, kLookForStopMs))) <= 0) continue;
    const bool is_open = socket.receive();
    if (is_open) continue;
    if (std::optional<std::string> line = socket.next_line()) return *line;
    throw not_a_server(
        fmt::format("the server broke off the control connection ({})", socket.why()));
  }
}

}  // namespace

// An older server passes over the question and refuses the ping, as that is no hello.
std::optional<control::Abilities> ask_abilities(LineSocket& socket, int64_t answer_ms) {
  const int64_t until_ms = base::monotonic_ms() + answer_ms;
  const std::string question =
      control::write(control::About{}) + control::write(control::Ping{monotonic_ns()});
  if (!socket.send(question)) throw not_a_server(socket.why());
  const std::optional<control::Message> answer = control::read(first_line(socket, until_ms));
  if (answer) {
    if (const auto* abilities = std::get_if<control::Abilities>(&*answer)) return *abilities;
    if (std::holds_alternative<control::Refusal>(*answer)) return std::nullopt;
  }
  throw base::Error(base::exit_malformed_reply, "the server does not say what it can do");
}

}  // namespace udp
