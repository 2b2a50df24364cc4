#include "slack/socket_mode.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <list>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "net/retry.hpp"
#include "slack/errors.hpp"

namespace slack {

namespace {

constexpr const char* kOpen = "apps.connections.open";
constexpr size_t kMostConnections = 3;
constexpr size_t kMostRemembered = 10'000;  // envelopes of a connection not acknowledged
constexpr int64_t kSteadyMs = 10'000;
constexpr int64_t kDrainMs = 10'000;
constexpr int64_t kTickMs = 1'000;
constexpr int64_t kFirstWaitMs = 1'000;
constexpr int64_t kLongestWaitMs = 20'000;  // half as much again by chance makes 30 s

struct Connection {
  net::WebSocket socket;
  int64_t opened_ms = 0;
  int64_t greeted_ms = -1;  // when Slack said hello
  int64_t heard_ms = 0;     // when the last byte was seen
  int64_t heard_bytes = 0;
  int64_t pinged_ms = -1;  // since when a ping waits for an answer
  int64_t leave_ms = -1;   // when to part from it
  bool leaving = false;    // Slack recycles it
  bool gone = false;
  std::set<std::string> unacknowledged{};
};

void pause_until_stop(int64_t ms) {
  pollfd stop{base::stop_descriptor(), POLLIN, 0};
  ::poll(&stop, 1, static_cast<int>(ms));
}

double machine_chance() {
  static std::mt19937 generator{std::random_device{}()};  // NOLINT(cert-msc51-cpp)
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

// The token that is wanted here is not the one that the table of words speaks of.
base::Error token_error(const Refused& refused) {
  return {refused.code(),
          fmt::format("{}: Slack says {}; give an app-level token (xapp-…) with the scope "
                      "connections:write (Basic Information in the app's settings)",
                      kOpen, base::shorten(base::one_line(refused.refusal().word), 200))};
}

class Session {
 public:
  explicit Session(const SocketMode& mode) : mode_(mode), unconnected_since_ms_(now_ms()) {}
  void run();

 private:
  int64_t now_ms() const { return mode_.line.clock.monotonic_ms(); }
  void tell(const std::string& line) const {
    if (mode_.on_notice) mode_.on_notice(line);
  }

  bool has_current() const;
  void open();
  std::string ask_for_url();
  bool is_final(base::ExitCode code, bool has_url) const;
  void schedule(bool failed, int64_t least_ms);

  void receive();
  bool take_one(Connection& from, int64_t wait_ms, const std::vector<int>& wake);
  void handle(Connection& from, const std::string& text);
  void greet(Connection& by, const json::Value& hello);
  void leave(Connection& from, const std::string& reason);
  void give_envelope(Connection& from, const json::Value& message);
  void lose(Connection& connection, const base::Error& why);
  void watch(Connection& connection);

  void send_acknowledgements();
  bool acknowledge(const Acknowledgement& acknowledgement);
  Connection* connection_for(const std::string& envelope_id);

  const SocketMode& mode_;
  std::list<Connection> connections_;  // the oldest first
  std::deque<Acknowledgement> unsent_;
  int failures_ = 0;
  int64_t next_attempt_ms_ = 0;
  int64_t unconnected_since_ms_;
  int64_t asked_wait_ms_ = 0;  // by the last reply's Retry-After
  bool was_connected_ = false;
};

void Session::run() {
  next_attempt_ms_ = now_ms();
  while (!mode_.stop_asked()) {
    if (!has_current() && now_ms() >= next_attempt_ms_) open();
    send_acknowledgements();
    receive();
    for (Connection& connection : connections_) watch(connection);
    connections_.remove_if([](const Connection& connection) { return connection.gone; });
  }
  send_acknowledgements();
  for (Connection& connection : connections_) connection.socket.close();
}

bool Session::has_current() const {
  for (const Connection& connection : connections_) {
    if (!connection.leaving && !connection.gone) return true;
  }
  return false;
}

// --- Opening ---

void Session::open() {
  if (connections_.size() >= kMostConnections) {
    connections_.front().socket.close();
    connections_.pop_front();
  }
  bool has_url = false;
  asked_wait_ms_ = 0;
  try {
    const std::string url = ask_for_url();
    has_url = true;
    Connection connection{.socket = mode_.open(url)};
    connection.opened_ms = connection.heard_ms = now_ms();
    connections_.push_back(std::move(connection));
  } catch (const base::Error& error) {
    if (mode_.stop_asked()) return;
    if (is_final(error.code(), has_url)) throw;
    schedule(true, asked_wait_ms_);
    const int64_t wait_ms = next_attempt_ms_ - now_ms();
    const int64_t spent_ms = next_attempt_ms_ - unconnected_since_ms_;
    const bool connected = !connections_.empty();  // the one to be left holds as yet
    if (mode_.budget_ms >= 0 && spent_ms > mode_.budget_ms && !connected) throw;
    tell(fmt::format("{}; next attempt in {:.1f} s", error.what(),
                     static_cast<double>(wait_ms) / 1000));
  }
}

std::string Session::ask_for_url() {
  Line line = mode_.line;
  line.retry = {};
  line.retry.budget_ms = 0;  // one attempt: all waiting is done here, where a stop ends it
  line.http = [this](const net::HttpRequest& request) {
    net::HttpResponse reply = mode_.line.http(request);
    asked_wait_ms_ = net::retry_after_ms(reply, mode_.line.clock.unix_s()).value_or(0);
    return reply;
  };
  try {
    std::string url = json::string_at(call_method(mode_.sender, {kOpen, {}}, line), "url");
    if (!url.empty()) return url;
  } catch (const Refused& refused) {
    if (refused.code() == base::exit_refused) throw token_error(refused);
    throw;
  }
  throw base::Error(base::exit_malformed_reply, fmt::format("{} gave no URL", kOpen));
}

// What time will not heal. A URL is for one use and a short time, so that its refusal is no more
// than a failed attempt.
bool Session::is_final(base::ExitCode code, bool has_url) const {
  if (code == base::exit_configuration || code == base::exit_our_bug) return true;
  if (has_url || code == base::exit_unavailable || code == base::exit_retries_spent) return false;
  return code != base::exit_malformed_reply || !was_connected_;
}

void Session::schedule(bool failed, int64_t least_ms) {
  if (failed) failures_ = std::max(failures_, 1);
  int64_t wait_ms = 0;
  if (failures_ > 0) {
    wait_ms = std::min(kFirstWaitMs << std::min(failures_ - 1, 10), kLongestWaitMs);
    const double chance = mode_.chance ? mode_.chance() : machine_chance();
    wait_ms += static_cast<int64_t>(chance * static_cast<double>(wait_ms) / 2);
  }
  next_attempt_ms_ = now_ms() + std::max(wait_ms, least_ms);
  ++failures_;
}

// --- Receiving ---

// One message of each connection, or a wait for the next.
void Session::receive() {
  bool came = false;
  std::vector<int> wake;
  if (mode_.acknowledgements != nullptr) wake.push_back(mode_.acknowledgements->descriptor());
  Connection* newest = nullptr;
  for (Connection& connection : connections_) {
    if (connection.gone) continue;
    came = take_one(connection, 0, {}) || came;
    if (connection.gone) continue;
    if (newest != nullptr) wake.push_back(newest->socket.descriptor);
    newest = &connection;
  }
  if (came) return;
  int64_t wait_ms = kTickMs;
  if (!has_current()) wait_ms = std::clamp<int64_t>(next_attempt_ms_ - now_ms(), 0, kTickMs);
  if (newest != nullptr) {
    take_one(*newest, wait_ms, wake);
  } else if (wait_ms > 0) {
    (mode_.pause ? mode_.pause : pause_until_stop)(wait_ms);
  }
}

// True when there was a message.
bool Session::take_one(Connection& from, int64_t wait_ms, const std::vector<int>& wake) {
  std::optional<std::string> text;
  try {
    text = from.socket.receive(wait_ms, wake);
  } catch (const base::Error& error) {
    lose(from, error);
    return false;
  }
  if (text) handle(from, *text);
  return text.has_value();
}

void Session::handle(Connection& from, const std::string& text) {
  const auto message = json::try_parse(text);
  if (!message || json::as_object(&*message) == nullptr) {
    tell("Slack sent something that is no JSON object; it is passed over");
    return;
  }
  const std::string type = json::string_at(*message, "type");
  if (!json::string_at(*message, "envelope_id").empty()) {
    give_envelope(from, *message);
  } else if (type == "hello") {
    greet(from, *message);
  } else if (type == "disconnect") {
    leave(from, json::string_at(*message, "reason"));
  }
}

void Session::greet(Connection& by, const json::Value& hello) {
  by.greeted_ms = now_ms();
  was_connected_ = true;
  for (Connection& other : connections_) {
    if (other.leaving) other.leave_ms = now_ms() + kDrainMs;
  }
  tell(fmt::format("connected to Slack (connections of this app: {})",
                   whole_number_at(hello, "num_connections")));
}

void Session::leave(Connection& from, const std::string& reason) {
  if (reason == "link_disabled") {
    throw base::Error(base::exit_configuration,
                      "Slack says link_disabled; switch Socket Mode on in the app's settings");
  }
  const bool recycled = reason == "warning" || reason == "refresh_requested";
  if (!recycled || from.greeted_ms < 0) {
    const std::string word = base::shorten(base::one_line(reason), 100);
    lose(from, {base::exit_retries_spent, fmt::format("Slack ends the connection: {}", word)});
    return;
  }
  if (from.leaving) return;
  if (now_ms() - from.greeted_ms >= kSteadyMs) failures_ = 0;
  from.leaving = true;
  schedule(false, 0);
}

void Session::give_envelope(Connection& from, const json::Value& message) {
  const Envelope envelope = envelope_of(message);
  if (from.unacknowledged.size() >= kMostRemembered) from.unacknowledged.clear();
  from.unacknowledged.insert(envelope.id);
  if (!mode_.on_envelope(envelope)) return;
  const Acknowledgement acknowledgement{envelope.id, std::nullopt};
  if (!acknowledge(acknowledgement)) unsent_.push_back(acknowledgement);
}

void Session::lose(Connection& connection, const base::Error& why) {
  connection.gone = true;
  connection.socket.close();
  if (connection.leaving) return;
  if (connection.greeted_ms >= 0 && now_ms() - connection.greeted_ms >= kSteadyMs) failures_ = 0;
  schedule(connection.greeted_ms < 0, 0);
  const bool spent = next_attempt_ms_ - unconnected_since_ms_ > mode_.budget_ms;
  if (connection.greeted_ms < 0 && mode_.budget_ms >= 0 && spent) throw base::Error(why);
  tell(why.what());
}

// Its deadlines: hello, signs of life, parting.
void Session::watch(Connection& connection) {
  if (connection.gone) return;
  const int64_t now = now_ms();
  if (connection.greeted_ms >= 0) unconnected_since_ms_ = now;
  const int64_t bytes = connection.socket.received_bytes();
  if (bytes != connection.heard_bytes) {
    connection.heard_bytes = bytes;
    connection.heard_ms = now;
    connection.pinged_ms = -1;
  }
  if (connection.leave_ms >= 0 && now >= connection.leave_ms) {
    connection.socket.close();
    connection.gone = true;
  } else if (connection.greeted_ms < 0 && now - connection.opened_ms >= mode_.hello_ms) {
    lose(connection, {base::exit_retries_spent, "Slack opens a connection and says no hello"});
  } else if (connection.pinged_ms >= 0 && now - connection.pinged_ms >= mode_.pong_ms) {
    lose(connection, {base::exit_retries_spent, "Slack is silent and answers no ping"});
  } else if (connection.pinged_ms < 0 && now - connection.heard_ms >= mode_.quiet_ms) {
    connection.pinged_ms = now;
    try {
      connection.socket.send_ping();
    } catch (const base::Error& error) {
      lose(connection, error);
    }
  }
}

// --- Acknowledging ---

void Session::send_acknowledgements() {
  if (mode_.acknowledgements != nullptr) {
    for (Acknowledgement& one : mode_.acknowledgements->take()) unsent_.push_back(std::move(one));
  }
  while (!unsent_.empty() && acknowledge(unsent_.front())) unsent_.pop_front();
}

// False when no connection takes it now.
bool Session::acknowledge(const Acknowledgement& acknowledgement) {
  Connection* connection = connection_for(acknowledgement.envelope_id);
  if (connection == nullptr) return false;
  try {
    connection->socket.send_text(text_of(acknowledgement));
  } catch (const base::Error& error) {
    lose(*connection, error);
    return false;
  }
  connection->unacknowledged.erase(acknowledgement.envelope_id);
  return true;
}

// The one it came by, else the newest that Slack has greeted.
Connection* Session::connection_for(const std::string& envelope_id) {
  Connection* newest = nullptr;
  for (Connection& connection : connections_) {
    if (connection.gone) continue;
    if (connection.unacknowledged.contains(envelope_id)) return &connection;
    if (connection.greeted_ms >= 0) newest = &connection;
  }
  return newest;
}

}  // namespace

void run_socket_mode(const SocketMode& mode) {
  Session(mode).run();
}

}  // namespace slack
