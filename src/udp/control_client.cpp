#include "udp/control_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "udp/clocks.hpp"
#include "udp/control_opening.hpp"
#include "udp/line_socket.hpp"

namespace udp {

namespace {

base::Error unavailable(const std::string& what) {
  return {base::exit_unavailable, what};
}

int wake_up_descriptor() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw base::Error(base::exit_our_bug, "no descriptor is left to wake up a thread");
  return fd;
}

}  // namespace

struct ControlClient::State {
  State(Connect connects, SessionRequest wanted, ControlWaits wait_times)
      : connect(std::move(connects)), request(std::move(wanted)), waits(wait_times) {}

  // The thread.
  void run();
  void come_back();
  void turn();
  void say_what_is_due();
  void wait_until(int64_t until_ms);
  void hear(const control::Message& message);
  void hear(const control::Pong& pong);
  void hear(const control::Refusal& refusal);
  void lose(const base::Error& error);
  void give_up(const std::string& reason);

  // Both.
  void learn(const control::Pong& pong);
  void wake_up() const;

  Connect connect;
  SessionRequest request;
  ControlWaits waits;
  Opening opening;  // what came of it, before there was a thread

  // The thread's own, once there is one.
  std::unique_ptr<LineSocket> socket;  // none: the connection broke
  bool is_welcome = false;             // on this connection
  bool is_end_said = false;            // on this connection
  bool is_begin_known = false;         // to the server
  int64_t begin_ns = 0;
  int64_t begin_said_ns = 0;
  int64_t heard_ms = 0;  // when the last bytes came
  int64_t next_ping_ms = 0;
  int64_t next_connect_ms = 0;
  std::string broke;  // how, in words
  std::function<void(const Sessions::Progress&)> on_second;

  base::Descriptor wake{wake_up_descriptor()};
  std::thread thread;

  mutable std::mutex mutex;  // over all that follows
  std::condition_variable changed;
  OffsetEstimate estimate;  // goes on from the opening's
  int64_t worst_bound_ns = 0;
  std::string end_line;  // "": not yet
  std::optional<control::FinalReport> report;
  std::string why;
  bool is_over = false;  // the thread has done what it can
  bool is_quitting = false;
};

// --- Both ---

void ControlClient::State::learn(const control::Pong& pong) {
  const int64_t now_ns = socket->received_ns();
  const std::lock_guard lock(mutex);
  estimate.add(pong.t1_ns, pong.t2_ns, pong.t3_ns, now_ns);
}

void ControlClient::State::wake_up() const {
  const uint64_t one = 1;
  const ssize_t written = ::write(wake.fd, &one, sizeof one);
  static_cast<void>(written);  // it is readable already
}

// --- The thread ---

void ControlClient::State::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex);
      if (is_over || is_quitting) break;
    }
    try {
      if (socket == nullptr) {
        come_back();
      } else {
        turn();
      }
    } catch (const base::Error& error) {
      lose(error);
    }
  }
  socket.reset();
}

void ControlClient::State::come_back() {
  if (base::monotonic_ms() < next_connect_ms) return wait_until(next_connect_ms);
  socket = std::make_unique<LineSocket>(connect());
  is_welcome = false;
  is_end_said = false;
  heard_ms = base::monotonic_ms();
  say(*socket, control::Resume{opening.cookie});
}

void ControlClient::State::turn() {
  say_what_is_due();
  const int64_t silent_ms = heard_ms + waits.answer_ms;
  wait_until(is_welcome ? std::min(next_ping_ms, silent_ms) : silent_ms);
  if (base::monotonic_ms() >= heard_ms + waits.answer_ms) {
    throw unavailable(fmt::format("the server was silent for {} ms", waits.answer_ms));
  }
}

void ControlClient::State::say_what_is_due() {
  if (!is_welcome) return;
  std::string end;
  if (!is_end_said) {
    const std::lock_guard lock(mutex);
    end = end_line;
  }
  if (!end.empty()) {
    is_end_said = true;
    say(*socket, end);
  }
  const int64_t now_ms = base::monotonic_ms();
  if (now_ms < next_ping_ms) return;
  next_ping_ms = now_ms + waits.ping_ms;
  say(*socket, control::Ping{monotonic_ns()});
}

// Until something happens, at the latest at that time. Hears what has come.
void ControlClient::State::wait_until(int64_t until_ms) {
  const int64_t left_ms = std::max<int64_t>(0, until_ms - base::monotonic_ms());
  pollfd both[2] = {{.fd = wake.fd, .events = POLLIN, .revents = 0},
                    {.fd = -1, .events = POLLIN, .revents = 0}};
  if (socket != nullptr) {
    both[1].fd = socket->fd();
    if (socket->waiting() > 0) both[1].events |= POLLOUT;
  }
  if (::poll(both, 2, static_cast<int>(left_ms)) <= 0) return;
  uint64_t times = 0;
  if (both[0].revents != 0 && ::read(wake.fd, &times, sizeof times) < 0) return;
  if (both[1].revents == 0) return;
  if (!socket->flush()) throw unavailable(socket->why());
  if ((both[1].revents & ~POLLOUT) == 0) return;
  const bool is_open = socket->receive();
  heard_ms = base::monotonic_ms();
  while (std::optional<control::Message> message = next_message(*socket)) hear(*message);
  if (!is_open) throw unavailable(socket->why());
}

void ControlClient::State::hear(const control::Message& message) {
  if (std::holds_alternative<control::Welcome>(message)) {
    is_welcome = true;
    next_ping_ms = 0;
    if (!is_begin_known) say(*socket, control::Begin{begin_ns});
    const std::lock_guard lock(mutex);
    why.clear();
  } else if (const auto* pong = std::get_if<control::Pong>(&message)) {
    hear(*pong);
  } else if (const auto* second = std::get_if<control::Second>(&message)) {
    on_second(second->progress);
  } else if (const auto* refusal = std::get_if<control::Refusal>(&message)) {
    hear(*refusal);
  } else if (const auto* last = std::get_if<control::FinalReport>(&message)) {
    if (!is_end_said) return;
    const std::lock_guard lock(mutex);
    if (last->echoes.size() != request.clients) {
      throw base::Error(base::exit_malformed_reply,
                        "the server's report is of another number of clients");
    }
    report = *last;
    is_over = true;
    changed.notify_all();
  }
}

void ControlClient::State::hear(const control::Pong& pong) {
  if (pong.t1_ns >= begin_said_ns) is_begin_known = true;
  learn(pong);
  Offset offset;
  {
    const std::lock_guard lock(mutex);
    offset = estimate.at(monotonic_ns());
    worst_bound_ns = std::max(worst_bound_ns, offset.bound_ns);
  }
  say(*socket, control::OffsetIs{offset});
}

void ControlClient::State::hear(const control::Refusal& refusal) {
  const bool is_forgotten = refusal.code == base::exit_missing_input;
  give_up(is_forgotten ? "the server does not know the session any more; it was restarted"
                       : "the server refused: " + refusal.text);
}

void ControlClient::State::lose(const base::Error& error) {
  if (error.code() == base::exit_interrupted) {
    return give_up("stopped while the control connection was broken: " + broke);
  }
  if (error.code() == base::exit_malformed_reply) return give_up(error.what());  // it always is
  next_connect_ms = base::monotonic_ms() + waits.again_ms;
  std::string text = fmt::format("{}; coming back failed: {}", broke, error.what());
  if (is_welcome) {
    broke =
        fmt::format("the control connection broke {} s after the beginning: {}",
                    std::max<int64_t>(0, monotonic_ns() - begin_ns) / 1'000'000'000, error.what());
    text = broke;
  }
  socket.reset();
  is_welcome = false;
  const std::lock_guard lock(mutex);
  if (!is_over) why = text;
}

void ControlClient::State::give_up(const std::string& reason) {
  const std::lock_guard lock(mutex);
  if (!is_over) why = reason;
  is_over = true;
  changed.notify_all();
}

// --- Outside ---

ControlClient::ControlClient(Connect connect, const SessionRequest& request, ControlWaits waits)
    : state_(std::make_unique<State>(std::move(connect), request, waits)) {
  State& state = *state_;
  state.socket = std::make_unique<LineSocket>(state.connect());
  state.opening = open_session(*state.socket, request, waits.answer_ms);
  state.estimate = state.opening.estimate;
  state.worst_bound_ns = state.opening.offset.bound_ns;
}

ControlClient::~ControlClient() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_quitting = true;
  }
  state_->wake_up();
  if (state_->thread.joinable()) state_->thread.join();
}

uint64_t ControlClient::cookie() const {
  return state_->opening.cookie;
}

bool ControlClient::echo() const {
  return state_->opening.echo;
}

Offset ControlClient::offset() const {
  const std::lock_guard lock(state_->mutex);
  return state_->estimate.at(monotonic_ns());
}

Offset ControlClient::first_offset() const {
  return state_->opening.offset;
}

int64_t ControlClient::worst_bound_ns() const {
  const std::lock_guard lock(state_->mutex);
  return state_->worst_bound_ns;
}

void ControlClient::start(int64_t begin_ns,
                          std::function<void(const Sessions::Progress&)> on_second) {
  State& state = *state_;
  state.begin_ns = begin_ns;
  state.on_second = std::move(on_second);
  state.is_welcome = true;
  state.begin_said_ns = monotonic_ns();
  state.heard_ms = base::monotonic_ms();
  try {
    say(*state.socket, control::Begin{begin_ns});
  } catch (const base::Error& error) {
    state.lose(error);
  }
  state.thread = std::thread([&state] { state.run(); });
}

std::optional<control::FinalReport> ControlClient::finish(const Sent& sent, int64_t wait_ms) {
  State& state = *state_;
  std::string end = control::write(control::End{sent});
  std::unique_lock lock(state.mutex);
  state.end_line = std::move(end);
  state.wake_up();
  state.changed.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return state.is_over; });
  if (!state.report && state.why.empty()) {
    state.why = fmt::format("the server sent no report within {} ms", wait_ms);
  }
  return std::move(state.report);
}

std::string ControlClient::why() const {
  const std::lock_guard lock(state_->mutex);
  return state_->why;
}

}  // namespace udp
