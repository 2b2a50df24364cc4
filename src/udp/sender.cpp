#include "udp/sender.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.hpp"
#include "udp/datagrams.hpp"
#include "udp/shared_packet.hpp"

namespace udp {

namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr uint64_t kDescriptorsElse = 64;  // for everything but callers
constexpr int64_t kOverdueNs = kNsPerS;    // a sender that is further behind gives up
constexpr int64_t kLookForStopNs = 100'000'000;
constexpr size_t kEchoBatch = 32;
constexpr size_t kMostErrorsRead = 16;
constexpr int kIpv4Overhead = 28;  // IP and UDP headers
constexpr int kIpv6Overhead = 48;

// What came back about earlier packets must not wait in front of the next one.
void read_errors(int fd) {
  std::array<std::byte, 64> ignored{};
  for (size_t i = 0; i < kMostErrorsRead; ++i) {
    if (::recv(fd, ignored.data(), ignored.size(), MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
  }
}

}  // namespace

// --- Sockets ---

Sender::Sender(SendOptions options) : options_(std::move(options)), plan_(options_.load) {
  const uint32_t clients = options_.load.clients;
  const uint64_t most = raise_descriptor_limit();
  const uint64_t room = most > 2 * kDescriptorsElse ? most - kDescriptorsElse : most / 2;
  is_shared_ = clients > room;
  if (options_.callers.empty()) options_.callers.emplace_back();  // the route chooses
  try {
    if (is_shared_) {
      for (From& caller : options_.callers) {
        caller.interface_index = ::if_nametoindex(caller.interface.c_str());
      }
      const uint64_t addresses = options_.callers.size();
      const uint64_t wanted = (clients + addresses - 1) / addresses;
      for (uint64_t i = 0; i < std::min(wanted, room); ++i) {
        fds_.push_back(open_shared(options_.server.is_ipv6(), options_.sockets));
      }
    }
    for (uint32_t i = 0; !is_shared_ && i < clients; ++i) {
      fds_.push_back(open_caller(from(i), options_.server, options_.sockets));
      check_size(fds_.back(), i);
    }
  } catch (const base::Error&) {
    close_all();
    throw;
  }
}

Sender::~Sender() {
  close_all();
}

void Sender::close_all() {
  for (const int fd : fds_) ::close(fd);
  fds_.clear();
}

const From& Sender::from(uint32_t client) const {
  return options_.callers[client % options_.callers.size()];
}

void Sender::check_size(int fd, uint32_t client) const {
  const bool is_ipv6 = options_.server.is_ipv6();
  const int most = mtu_of(fd, is_ipv6) - (is_ipv6 ? kIpv6Overhead : kIpv4Overhead);
  const bool fits = most <= 0 || options_.load.packet_size <= static_cast<size_t>(most);
  if (fits || options_.sockets.may_fragment) return;
  const std::string address = from(client).address.text();
  throw base::Error(
      base::exit_configuration,
      fmt::format("packets of {} bytes do not fit the MTU on the way from {} to {}: --packet-size "
                  "{} or less, or --fragment to have them sent in pieces",
                  options_.load.packet_size, address.empty() ? "here" : address,
                  options_.server.text(), most));
}

// --- Sending ---

struct Sender::Run {
  Run(const Sender& sender, int64_t begin, SendingNow& shared)
      : owner(sender),
        options(sender.options_),
        plan(sender.plan_),
        begin_ns(begin),
        now(shared),
        bytes(options.load.packet_size),
        shared_packet(bytes, options.server),
        packets(options.load.clients),
        errors(options.load.clients),
        last_error(options.load.clients),
        receiver(options.echo ? options.load.clients : 0,
                 static_cast<double>(kNsPerS) / plan.interval_ns(),
                 static_cast<double>(plan.end_ns()) / kNsPerS, options.jitter_buffer_ms),
        datagrams(options.echo ? kEchoBatch : 1),
        clocks(options.echo ? sender.fds_.size() : 0),
        rtt(options.echo ? options.load.clients : 0) {}

  void all();
  void drain(int64_t drain_ns);
  double took_ns() const;
  bool is_over(int64_t due_ns);
  void tick(uint64_t round, uint32_t number);
  void send(uint32_t client, int64_t intended_ns);
  bool give(uint32_t client);
  void collect(size_t socket);
  void collect_of(uint32_t number);
  void take(const Packet& packet, size_t i, ArrivalClock& clock);

  size_t socket_of(uint32_t client) const {
    if (!owner.is_shared_) return client;
    return client / options.callers.size() % owner.fds_.size();
  }

  const Sender& owner;
  const SendOptions& options;
  const Plan& plan;
  int64_t begin_ns;
  SendingNow& now;
  std::vector<std::byte> bytes;
  SharedPacket shared_packet;
  std::vector<uint64_t> packets, errors;  // by client
  std::vector<int> last_error;
  std::vector<uint64_t> seconds;
  Histogram lateness;
  int64_t slept_ns = 0;
  bool is_stopped = false;
  Offset offset;  // of the server's clock, now
  int64_t worst_bound_ns = 0;
  Receiver receiver;
  Datagrams datagrams;
  std::vector<ArrivalClock> clocks;  // by socket
  std::vector<Histogram> rtt;        // by client
};

// Whether nothing more is to be sent; else it is time for what is due then.
bool Sender::Run::is_over(int64_t due_ns) {
  const int64_t before_ns = monotonic_ns();
  int64_t now_ns = before_ns;
  is_stopped = options.stop();
  for (; now_ns < due_ns && !is_stopped; now_ns = monotonic_ns()) {
    sleep_until_ns(std::min(due_ns, now_ns + kLookForStopNs));
    is_stopped = options.stop();
  }
  slept_ns += std::max<int64_t>(0, now_ns - std::max(before_ns, begin_ns));
  return is_stopped || before_ns > begin_ns + plan.end_ns() + kOverdueNs;
}

void Sender::Run::all() {
  sleep_until_ns(begin_ns);  // which does not count as sleep between packets
  for (uint64_t round = 0; round < plan.rounds(); ++round) {
    for (uint32_t number = 0; number < plan.ticks(); ++number) {
      if (is_over(begin_ns + plan.tick_ns(round, number))) return;
      tick(round, number);
    }
  }
}

// How long each caller sent, from its first packet to the end of its last interval.
double Sender::Run::took_ns() const {
  const auto all_ns = static_cast<double>(monotonic_ns() - begin_ns);
  const auto ramp_ns =
      static_cast<double>(plan.tick_ns(plan.first_round(options.load.clients - 1), 0));
  return std::max(1.0, all_ns - ramp_ns + plan.interval_ns() / plan.ticks());
}

// Echoes go on coming; each socket is looked at as often as before.
void Sender::Run::drain(int64_t drain_ns) {
  const int64_t now_ns = monotonic_ns();
  const int64_t until_ns = now_ns + drain_ns;
  const auto since_begin = static_cast<double>(std::max<int64_t>(0, now_ns - begin_ns));
  auto round = static_cast<uint64_t>(since_begin / plan.interval_ns());
  for (uint32_t number = 0; begin_ns + plan.tick_ns(round, number) < until_ns;) {
    sleep_until_ns(begin_ns + plan.tick_ns(round, number));
    collect_of(number);
    number = (number + 1) % plan.ticks();
    if (number == 0) ++round;
  }
  sleep_until_ns(until_ns);
  for (uint32_t number = 0; number < plan.ticks(); ++number) collect_of(number);
}

void Sender::Run::tick(uint64_t round, uint32_t number) {
  if (options.echo) collect_of(number);
  const int64_t intended_ns = plan.tick_ns(round, number);
  const uint32_t end = plan.first_of(number + 1);
  const auto second = static_cast<size_t>(intended_ns / kNsPerS);
  if (second >= seconds.size()) {
    seconds.resize(second + 1);
    now.by_second[second % now.by_second.size()].store(0, std::memory_order_relaxed);
  }
  for (uint32_t client = plan.first_of(number); client < end; ++client) {
    if (plan.sends(client, round)) send(client, intended_ns);
  }
  now.by_second[second % now.by_second.size()].store(seconds[second], std::memory_order_relaxed);
}

void Sender::Run::send(uint32_t client, int64_t intended_ns) {
  write_packet(bytes, {.kind = Packet::Kind::voice,
                       .client = client,
                       .cookie = options.cookie,
                       .sequence = static_cast<uint32_t>(packets[client]),
                       .intended_ns = intended_ns});
  const int64_t late_us = (monotonic_ns() - begin_ns - intended_ns) / 1000;
  // What an earlier packet met is told instead of taking this one; so it is given once more.
  bool is_sent = give(client);
  if (!is_sent) {
    read_errors(owner.fds_[socket_of(client)]);
    is_sent = give(client);
  }
  if (!is_sent) {
    last_error[client] = errno;
    ++errors[client];
    return;
  }
  ++packets[client];
  ++seconds[static_cast<size_t>(intended_ns / kNsPerS)];
  lateness.add(late_us);
  if (late_us > now.worst_late_us.load(std::memory_order_relaxed)) {
    now.worst_late_us.store(late_us, std::memory_order_relaxed);
  }
}

bool Sender::Run::give(uint32_t client) {
  const int fd = owner.fds_[socket_of(client)];
  if (owner.is_shared_) return shared_packet.send(fd, owner.from(client));
  return ::send(fd, bytes.data(), bytes.size(), 0) >= 0;
}

// --- Echoes ---

void Sender::Run::collect_of(uint32_t number) {
  offset = options.offset();
  worst_bound_ns = std::max(worst_bound_ns, offset.bound_ns);
  if (owner.is_shared_) {
    for (size_t socket = 0; socket < owner.fds_.size(); ++socket) collect(socket);
    return;
  }
  const uint32_t end = plan.first_of(number + 1);
  for (uint32_t client = plan.first_of(number); client < end; ++client) collect(client);
}

void Sender::Run::collect(size_t socket) {
  ArrivalClock& clock = clocks[socket];
  clock.look(monotonic_ns(), realtime_ns());
  size_t count = datagrams.receive(owner.fds_[socket]);
  while (count > 0) {
    for (size_t i = 0; i < count; ++i) {
      const std::optional<Packet> packet = read_packet(datagrams.head(i));
      const bool is_ours = packet && packet->kind == Packet::Kind::echo &&
                           packet->cookie == options.cookie &&
                           packet->client < options.load.clients;
      if (is_ours) take(*packet, i, clock);
    }
    if (count < kEchoBatch) return;
    clock.look_again(monotonic_ns(), realtime_ns());
    count = datagrams.receive(owner.fds_[socket]);
  }
}

void Sender::Run::take(const Packet& packet, size_t i, ArrivalClock& clock) {
  const int64_t arrival_ns = clock.arrival_ns(datagrams.stamp_ns(i));
  // The echo was stamped by the server's clock as it was known at the beginning.
  const int64_t offset_ns = options.first_offset_ns - offset.offset_ns;
  const Receiver::Taken taken =
      receiver.take(packet, arrival_ns - begin_ns - packet.echoed_ns, offset_ns, datagrams.from(i));
  if (taken.is_new) rtt[packet.client].add((arrival_ns - begin_ns - packet.intended_ns) / 1000);
}

// --- The whole ---

SendOutcome Sender::run(int64_t begin_ns, int64_t drain_ns, SendingNow& now) {
  SendOutcome outcome;
  std::thread sending([&] {
    // The kernel finds sockets faster in a table of descriptors that no other thread shares; where
    // that is not allowed, it finds them all the same.
    ::unshare(CLONE_FILES);
    ::prctl(PR_SET_TIMERSLACK, 1);
    outcome = send_all(begin_ns, drain_ns, now);
  });
  sending.join();
  return outcome;
}

SendOutcome Sender::send_all(int64_t begin_ns, int64_t drain_ns, SendingNow& now) {
  Run run(*this, begin_ns, now);
  run.all();
  const double took_ns = run.took_ns();
  const auto all_ns = static_cast<double>(monotonic_ns() - begin_ns);
  if (options_.echo) run.drain(drain_ns);
  SendOutcome outcome;
  outcome.sockets = fds_.size();
  outcome.is_stopped = run.is_stopped;
  outcome.sent = {
      .packets = std::move(run.packets),
      .errors = std::move(run.errors),
      .why = {},
      .seconds = std::move(run.seconds),
      .planned = plan_.packets_each() * options_.load.clients,
      .planned_s = static_cast<double>(plan_.packets_each()) * plan_.interval_ns() / 1e9,
      .lateness = std::move(run.lateness),
      .slept = static_cast<double>(run.slept_ns) / all_ns,
      .took_s = took_ns / kNsPerS};
  for (const int error : run.last_error) {
    outcome.sent.why.emplace_back(error == 0 ? "" : std::strerror(error));
  }
  if (options_.echo) {
    outcome.back = run.receiver.result();
    outcome.back.bound_us = run.worst_bound_ns / 1000 + 1;
    outcome.back.is_bound_known = true;
    // Each socket's clock saw the same steps.
    for (const ArrivalClock& clock : run.clocks) {
      outcome.back.clock_steps = std::max(outcome.back.clock_steps, clock.steps());
    }
    outcome.rtt = std::move(run.rtt);
  }
  return outcome;
}

}  // namespace udp
