// What Slack says over Socket Mode: each line of the input is a message, "END" breaks the
// connection, an empty line lets half a minute pass. Holds: what is acknowledged was delivered, no
// more connections are open than are allowed, every one is closed at the end.
#include <algorithm>
#include <memory>
#include <set>

#include "fuzz.hpp"
#include "json/write.hpp"
#include "slack/socket_mode.hpp"

namespace {

constexpr size_t kMostConnections = 3;

// Slack, and a clock that only waiting moves.
struct Slack {
  explicit Slack(std::string_view words) : left(words) {}

  std::string_view left;
  int64_t now_ms = 1'000'000;
  size_t open = 0;
  std::set<std::string> delivered;

  std::optional<std::string> receive(int64_t wait_ms) {
    now_ms += std::max<int64_t>(wait_ms, 0);
    if (left.empty()) return std::nullopt;
    const std::string line = fuzz::take_line(left);
    if (line == "END") throw base::Error(base::exit_retries_spent, "it broke");
    if (!line.empty()) return line;
    now_ms += 30'000;
    return std::nullopt;
  }

  net::WebSocket connect() {
    ++open;
    fuzz::expect(open <= kMostConnections, "few connections are open");
    const auto is_closed = std::make_shared<bool>(false);
    net::WebSocket socket;
    socket.receive = [this](int64_t wait_ms, const std::vector<int>&) { return receive(wait_ms); };
    socket.send_text = [this](const std::string& text) {
      const bool is_known = std::any_of(delivered.begin(), delivered.end(), [&](const auto& id) {
        return text == json::write(json::Object{{"envelope_id", id}});
      });
      fuzz::expect(is_known, "what is acknowledged was delivered", text);
    };
    socket.send_ping = [] {};
    socket.close = [this, is_closed] {
      if (!*is_closed) --open;
      *is_closed = true;
    };
    socket.received_bytes = [this] { return static_cast<int64_t>(left.size()); };
    return socket;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  Slack server(text);
  slack::SocketMode mode;
  mode.sender = {"", "xapp-secret", "https://slack.example/api"};
  mode.line.clock = {[&] { return server.now_ms; }, [] { return int64_t{1'700'000'000}; },
                     [&](int64_t ms) { server.now_ms += ms; }};
  mode.line.http = [](const net::HttpRequest&) {
    return net::HttpResponse{200, {}, R"({"ok":true,"url":"wss://slack.example/x"})"};
  };
  mode.open = [&](const std::string&) { return server.connect(); };
  mode.on_envelope = [&](const slack::Envelope& envelope) {
    server.delivered.insert(envelope.id);
    return !envelope.type.empty();
  };
  mode.on_notice = [](const std::string& line) { fuzz::expect(!line.empty(), "a notice says it"); };
  mode.stop_asked = [&] { return server.left.empty(); };
  mode.pause = [&](int64_t ms) { server.now_ms += ms; };
  mode.chance = [] { return 0.5; };
  const bool is_stopped = fuzz::takes([&] { slack::run_socket_mode(mode); });
  fuzz::expect(!is_stopped || server.open == 0, "every connection is closed");
  return 0;
}
