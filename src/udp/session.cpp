#include "udp/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

namespace udp {

namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr double kCopiesKnownS = 4;  // how far back a copy is recognised
constexpr double kLeastWindow = 256;
constexpr double kMostWindow = 65'536;
constexpr double kAllWindows = 1'073'741'824;  // bits, of all callers: 128 MiB
constexpr size_t kSpareSeconds = 30;           // beyond the time that was said
constexpr int64_t kVanishedNs = 5 * kNsPerS;
constexpr int64_t kOverdueNs = 30 * kNsPerS;
constexpr int64_t kKeptNs = 60 * kNsPerS;

uint32_t window_for(double packets_per_second, uint32_t clients) {
  const double most = std::clamp(kAllWindows / std::max(1U, clients), kLeastWindow, kMostWindow);
  return static_cast<uint32_t>(std::clamp(packets_per_second * kCopiesKnownS, kLeastWindow, most));
}

size_t most_seconds_of(double seconds) {
  return static_cast<size_t>(seconds) + kSpareSeconds;
}

void check(const SessionRequest& request, const SessionLimits& limits) {
  const bool is_good = request.clients >= 1 && request.packet_size >= kHeaderSize &&
                       request.packet_size <= kMostPacketSize && request.bps > 0 &&
                       request.seconds >= 0 && request.jitter_buffer_ms >= 0;
  if (!is_good) throw base::Error(base::exit_bad_input, "the session asked for makes no sense");
  if (request.seconds > limits.seconds) {
    throw base::Error(base::exit_retries_spent,
                      fmt::format("the server takes tests of up to {:.0f} s", limits.seconds));
  }
}

base::Error no_session() {
  return {base::exit_missing_input,
          "the server does not know this session; it was restarted, or too long ago"};
}

}  // namespace

// --- One direction ---

Receiver::Receiver(uint32_t clients, double packets_per_second, double seconds,
                   double jitter_buffer_ms)
    : buffer_ns_(static_cast<int64_t>(jitter_buffer_ms * 1e6)),
      most_seconds_(most_seconds_of(seconds)),
      flows_(clients, Flow(0, window_for(packets_per_second, clients))),
      seen_(clients) {}

Receiver::Taken Receiver::take(const Packet& packet, int64_t transit_ns, int64_t offset_ns,
                               const Address& from) {
  if (packet.client >= flows_.size()) return {};
  Flow& flow = flows_[packet.client];
  if (flow.counts().received == 0) seen_[packet.client] = from;
  const Flow::Arrival arrival = flow.take(packet.sequence, transit_ns, offset_ns, buffer_ns_);
  const Taken taken{.is_counted = true, .is_new = arrival.is_new};
  if (!arrival.is_new) return taken;
  const auto number = static_cast<size_t>(packet.intended_ns / kNsPerS);
  if (number >= most_seconds_) return taken;
  if (number >= seconds_.size()) seconds_.resize(number + 1);
  SecondResult& second = seconds_[number];
  ++second.received;
  if (arrival.is_late) ++second.late;
  second.delay_sum_us += static_cast<double>(arrival.delay_us);
  second.delay_max_us = std::max(second.delay_max_us, arrival.delay_us);
  second.jitter_sum_us += arrival.jitter_us;
  return taken;
}

const SecondResult* Receiver::second(int64_t number) const {
  const bool is_there = number >= 0 && number < static_cast<int64_t>(seconds_.size());
  return is_there ? &seconds_[static_cast<size_t>(number)] : nullptr;
}

Received Receiver::result() const {
  Received result;
  result.seconds = seconds_;
  result.flows.reserve(flows_.size());
  for (size_t i = 0; i < flows_.size(); ++i) {
    const Flow& flow = flows_[i];
    result.delay.add(flow.delay());
    result.flows.push_back(
        {.counts = flow.counts(),
         .delay = times_of(flow.delay()),
         .jitter_mean_us = flow.jitter_mean_us(),
         .jitter_max_us = flow.jitter_max_us(),
         .seen_as = flow.counts().received == 0 ? "" : plain(seen_[i]).with_port()});
  }
  return result;
}

// --- Sessions ---

Session& Sessions::find(uint64_t cookie) {
  const auto found = sessions_.find(cookie);
  if (found == sessions_.end()) throw no_session();
  return found->second;
}

const Session& Sessions::find(uint64_t cookie) const {
  const auto found = sessions_.find(cookie);
  if (found == sessions_.end()) throw no_session();
  return found->second;
}

// Makes room among those that were reported, the oldest first; false when there is none. Those that
// ended and wait to be reported may stay beside as many callers again: they will not be long.
bool Sessions::make_room(uint32_t clients) {
  while (true) {
    size_t open = 0;
    uint64_t open_clients = clients;
    uint64_t all_clients = clients;
    auto oldest = sessions_.end();
    for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
      const Session& session = it->second;
      all_clients += session.request.clients;
      if (!session.is_ended) {
        ++open;
        open_clients += session.request.clients;
      }
      const bool is_older = oldest == sessions_.end() || session.ended_ns < oldest->second.ended_ns;
      if (session.is_reported && is_older) oldest = it;
    }
    if (open >= limits_.sessions || open_clients > limits_.clients) return false;
    const bool has_places = sessions_.size() < 2 * limits_.sessions;
    if (all_clients <= limits_.clients && has_places) return true;
    if (oldest == sessions_.end())
      return has_places && all_clients <= 2 * uint64_t{limits_.clients};
    sessions_.erase(oldest);
  }
}

uint64_t Sessions::open(const SessionRequest& request) {
  check(request, limits_);
  const std::lock_guard lock(mutex_);
  if (request.clients > limits_.clients || !make_room(request.clients)) {
    throw base::Error(base::exit_retries_spent,
                      fmt::format("the server takes no more: {} sessions and {} callers at once; "
                                  "wait, or raise --max-sessions or --max-callers there",
                                  limits_.sessions, limits_.clients));
  }
  const uint64_t cookie = std::strtoull(base::random_hex(8).c_str(), nullptr, 16);
  const double packets_per_second = request.bps / 8 / static_cast<double>(request.packet_size);
  Session session{.cookie = cookie,
                  .request = request,
                  .opened_ns = monotonic_ns(),
                  .started_unix_s = realtime_ns() / kNsPerS,
                  .receiver = Receiver(request.clients, packets_per_second, request.seconds,
                                       request.jitter_buffer_ms),
                  .echoes = std::vector<uint64_t>(request.clients),
                  .before = tallies_,
                  .sent = std::nullopt};
  sessions_.insert_or_assign(cookie, std::move(session));
  return cookie;
}

void Sessions::begin(uint64_t cookie, int64_t begin_ns) {
  const std::lock_guard lock(mutex_);
  Session& session = find(cookie);
  session.begin_ns = begin_ns;
  session.first_offset_ns = session.offset.offset_ns;
  session.begun_ns = monotonic_ns();
}

void Sessions::set_offset(uint64_t cookie, Offset offset) {
  const std::lock_guard lock(mutex_);
  Session& session = find(cookie);
  session.offset = offset;
  session.is_offset_known = true;
  session.worst_bound_ns = std::max(session.worst_bound_ns, offset.bound_ns);
}

void Sessions::set_connected(uint64_t cookie, bool is_connected) {
  const std::lock_guard lock(mutex_);
  Session& session = find(cookie);
  session.is_connected = is_connected;
  session.disconnected_ns = monotonic_ns();
}

Received Sessions::received_of(const Session& session) const {
  Received received = session.receiver.result();
  received.queue_drops = tallies_.queue_drops - session.before.queue_drops;
  received.other = tallies_.other - session.before.other;
  received.malformed = tallies_.malformed - session.before.malformed;
  received.clock_steps = tallies_.clock_steps - session.before.clock_steps;
  received.bound_us = session.worst_bound_ns / 1000 + 1;
  received.is_bound_known = session.is_offset_known;
  return received;
}

Received Sessions::received(uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  return received_of(find(cookie));
}

std::vector<uint64_t> Sessions::echoes(uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  return find(cookie).echoes;
}

void Sessions::end(uint64_t cookie, std::optional<Sent> sent) {
  const std::lock_guard lock(mutex_);
  Session& session = find(cookie);
  if (sent && sent->seconds.size() > most_seconds_of(session.request.seconds)) {
    throw base::Error(base::exit_bad_input, "the end tells of more seconds than the test had");
  }
  session.is_ended = true;
  session.ended_ns = monotonic_ns();
  session.sent = std::move(sent);
}

Sessions::Progress Sessions::progress(uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  const Session& session = find(cookie);
  Progress progress;
  if (session.begin_ns == 0) return progress;
  const int64_t elapsed_ns = monotonic_ns() - session.begin_ns - session.offset.offset_ns;
  progress.second = std::max<int64_t>(-1, elapsed_ns / kNsPerS - 2);
  const SecondResult* second = session.receiver.second(progress.second);
  if (second != nullptr) progress.result = *second;
  return progress;
}

// Why a session that its client did not end is over; "" when it is not.
std::string Sessions::why_over(const Session& session, int64_t now_ns) {
  const int64_t last_ns =
      std::max({session.opened_ns, session.last_packet_ns, session.disconnected_ns});
  if (!session.is_connected && now_ns - last_ns > kVanishedNs) return "the client vanished";
  const auto planned_ns = static_cast<int64_t>(session.request.seconds * 1e9);
  const int64_t begun_ns = std::max(session.opened_ns, session.begun_ns);
  if (now_ns - begun_ns > planned_ns + kOverdueNs) return "the client did not end it in time";
  return "";
}

std::vector<Sessions::Ended> Sessions::take_ended(int64_t now_ns, bool all) {
  const std::lock_guard lock(mutex_);
  std::vector<Ended> ended;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    Session& session = it->second;
    if (session.is_reported) {
      it = now_ns - session.ended_ns > kKeptNs ? sessions_.erase(it) : std::next(it);
      continue;
    }
    std::string why;
    if (!session.is_ended) {
      why = all ? "the server was stopped" : why_over(session, now_ns);
      session.is_ended = !why.empty();
      session.ended_ns = now_ns;
    }
    if (session.is_ended) {
      session.is_reported = true;
      ended.push_back({.request = session.request,
                       .started_unix_s = session.started_unix_s,
                       .sent = session.sent,
                       .received = received_of(session),
                       .why = why});
    }
    ++it;
  }
  return ended;
}

Sessions::Room Sessions::room() const {
  const std::lock_guard lock(mutex_);
  Room room{.most_sessions = limits_.sessions, .most_callers = limits_.clients};
  for (const auto& [cookie, session] : sessions_) {
    if (session.is_ended) continue;
    ++room.sessions;
    room.callers += session.request.clients;
  }
  return room;
}

size_t Sessions::open_count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(sessions_.begin(), sessions_.end(),
                                           [](const auto& one) { return !one.second.is_ended; }));
}

bool Sessions::has_echo() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(sessions_.begin(), sessions_.end(), [](const auto& one) {
    return !one.second.is_ended && one.second.request.echo;
  });
}

void Sessions::locked(const std::function<void(std::map<uint64_t, Session>&, Tallies&)>& use) {
  const std::lock_guard lock(mutex_);
  use(sessions_, tallies_);
}

// --- The server's own report ---

Report session_report(const Sessions::Ended& ended) {
  const SessionRequest& request = ended.request;
  const Settings settings{
      .server = "",
      .clients = request.clients,
      .bps = request.bps,
      .packet_size = request.packet_size,
      .interval_us = static_cast<double>(request.packet_size) * 8 / request.bps * 1e6,
      .seconds = request.seconds,
      .echo = request.echo,
      .codec = request.codec,
      .jitter_buffer_ms = request.jitter_buffer_ms};
  Parts parts;
  if (ended.sent) parts.sent = &*ended.sent;
  parts.out = &ended.received;
  for (const FlowResult& flow : ended.received.flows) parts.addresses.push_back(flow.seen_as);
  Report report = make_report(settings, parts);
  report.kind = "server";
  report.started_unix_s = ended.started_unix_s;
  report.ended = ended.why;
  return report;
}

}  // namespace udp
