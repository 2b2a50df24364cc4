// Socket Mode: Slack's events, slash commands and interactions over a WebSocket that this side
// opens, so that no port need be open. What Slack sends is given on as it is; that nothing is lost
// is this module's business, that nothing is done twice is the caller's: Slack delivers again what
// was not acknowledged, also when the acknowledgement broke off on its way (payload.event_id
// tells).
//
// A connection: apps.connections.open with an app-level token (xapp-…, scope connections:write)
// gives a URL for one use; `hello` comes first; then envelopes, each of which Slack wants
// acknowledged within 3 s as {"envelope_id":…}, with a payload if the envelope accepts one. Before
// Slack recycles a connection it sends `disconnect` (reasons warning, refresh_requested): the next
// is then opened first, and the old one read until Slack ends it, 10 s at most after the hello of
// the next. link_disabled: Socket Mode was switched off. Any other reason is a connection lost.
// While the next one is opened nothing is read: what comes then is read (and acknowledged) after.
//
// Waits between attempts: none when a connection ends that held 10 s (or is the first that did
// not), else 1 s, doubled each time up to 20 s and lengthened by chance by up to a half, and as
// long as a Retry-After asks. At most 3 connections at a time (Slack allows an app 10, of all its
// processes). Source: docs.slack.dev, "Using Socket Mode" and apps.connections.open. Unverified,
// for no live Slack was asked: whether it takes an acknowledgement on another connection than the
// envelope's; one is sent there only when that connection is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/signals.hpp"
#include "net/websocket.hpp"
#include "slack/client.hpp"
#include "slack/envelope.hpp"

namespace slack {

using OpenWebSocket = std::function<net::WebSocket(const std::string& url)>;

struct SocketMode {
  Sender sender;       // its token is the app-level one
  Line line;           // http, clock and timeout_ms; how it retries is decided here
  OpenWebSocket open;  // net::connect_websocket() in the program
  // True: taken, acknowledge it at once. False: not now; Slack delivers it again unless it is
  // acknowledged by the queue within Slack's time. What it throws ends the run.
  std::function<bool(const Envelope&)> on_envelope;
  AcknowledgementQueue* acknowledgements = nullptr;  // not owned; may be none

  // Connected, lost, waiting: a line for the person who watches. No secrets in it.
  std::function<void(const std::string& line)> on_notice = {};
  // Gives up when there was no connection for so long; -1: never.
  int64_t budget_ms = -1;
  int64_t hello_ms = 10'000;  // how long Slack may take to say hello
  int64_t quiet_ms = 20'000;  // after that long without a byte a ping is sent
  int64_t pong_ms = 10'000;   // and after that long without an answer the connection is lost

  std::function<bool()> stop_asked = base::stop_asked;
  // Returns after that long or when a stop is asked for. Empty: waits for the stop's descriptor.
  std::function<void(int64_t ms)> pause = {};
  std::function<double()> chance = {};  // from 0 to 1, for the waits. Empty: the machine's
};

// Runs until a stop is asked for, then sends the acknowledgements that are queued, says goodbye and
// returns. Throws 78 when Socket Mode is off or the address can't be used, 77 when Slack refuses
// the token, the last error when the budget is spent, what slack::call_method() throws that is
// final, and 76 when what answers the very first time is not Slack.
void run_socket_mode(const SocketMode& mode);

}  // namespace slack
