#include "udp/serving.hpp"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <unordered_map>

#include "udp/datagrams.hpp"

namespace udp {

namespace {

constexpr size_t kBatch = 256;
constexpr int kLookForStopMs = 100;
constexpr int64_t kEchoNapNs = 1'000'000;  // it adds to the round trip

class Drain {
 public:
  explicit Drain(const ServingOptions& options) : options_(options), datagrams_(kBatch) {}

  // Everything that waits in the socket's queue.
  void run(Sessions& sessions) {
    size_t count = kBatch;
    bool is_first = true;
    while (count == kBatch) {
      const int64_t now_ns = monotonic_ns();
      const int64_t wall_ns = realtime_ns();
      is_first ? clock_.look(now_ns, wall_ns) : clock_.look_again(now_ns, wall_ns);
      is_first = false;
      count = datagrams_.receive(options_.fd);
      if (count == 0) break;
      sessions.locked([&](auto& all, Tallies& tallies) { take_all(count, all, tallies); });
    }
  }

 private:
  void take_all(size_t count, std::map<uint64_t, Session>& all, Tallies& tallies) {
    echoes_.clear();
    echoed_.clear();
    for (size_t i = 0; i < count; ++i) take(i, all, tallies);
    tallies.queue_drops = queue_drops(options_.fd);
    tallies.clock_steps = clock_.steps();
    if (echoes_.empty()) return;
    datagrams_.reply(options_.fd, echoes_);
    for (const size_t i : echoes_) ++*echoed_[i];
  }

  void take(size_t i, std::map<uint64_t, Session>& all, Tallies& tallies) {
    const std::optional<Packet> packet = read_packet(datagrams_.head(i));
    if (!packet) {
      ++tallies.malformed;
      return;
    }
    const auto found = all.find(packet->cookie);
    const bool is_ours = found != all.end() && !found->second.is_ended &&
                         found->second.begin_ns != 0 && packet->kind == Packet::Kind::voice &&
                         is_allowed(options_.allow, datagrams_.from(i));
    if (!is_ours) {
      ++tallies.other;
      return;
    }
    Session& session = found->second;
    const int64_t arrival_ns = clock_.arrival_ns(datagrams_.stamp_ns(i));
    const int64_t transit_ns = arrival_ns - session.begin_ns - packet->intended_ns;
    const Receiver::Taken taken =
        session.receiver.take(*packet, transit_ns, session.offset.offset_ns, datagrams_.from(i));
    session.last_packet_ns = arrival_ns;
    if (!taken.is_counted) ++tallies.malformed;
    if (!session.request.echo || !taken.is_new) return;
    const int64_t since_begin_ns = monotonic_ns() - session.begin_ns - session.first_offset_ns;
    Packet echo = *packet;
    echo.kind = Packet::Kind::echo;
    echo.echoed_ns = std::max<int64_t>(0, since_begin_ns);
    write_packet(datagrams_.head_to_change(i), echo);
    echoes_.push_back(i);
    echoed_.insert_or_assign(i, &session.echoes[packet->client]);
  }

  const ServingOptions& options_;
  Datagrams datagrams_;
  ArrivalClock clock_;
  std::vector<size_t> echoes_;                    // of this batch
  std::unordered_map<size_t, uint64_t*> echoed_;  // whom each counts for
};

}  // namespace

void serve_packets(const ServingOptions& options, Sessions& sessions,
                   const std::atomic<bool>& stop) {
  ::prctl(PR_SET_TIMERSLACK, 1);
  Drain drain(options);
  int64_t due_ns = monotonic_ns();
  bool has_echo = false;
  while (!stop) {
    if (sessions.open_count() == 0) {
      pollfd socket{options.fd, POLLIN, 0};
      ::poll(&socket, 1, kLookForStopMs);
    } else {
      const bool wants_echo = sessions.has_echo();
      if (wants_echo != has_echo) set_destinations(options.fd, wants_echo);
      has_echo = wants_echo;
      due_ns = std::max(due_ns + (has_echo ? kEchoNapNs : options.nap_ns), monotonic_ns());
      sleep_until_ns(due_ns);
      due_ns = monotonic_ns();
    }
    drain.run(sessions);
  }
}

}  // namespace udp
