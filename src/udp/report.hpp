// What a test found: plain data, the same for the client's report, the server's and a merged one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "udp/emodel.hpp"
#include "udp/flow.hpp"
#include "udp/histogram.hpp"

namespace udp {

// One caller in one direction, as its receiver saw it.
struct FlowResult {
  FlowCounts counts;
  Times delay;  // one-way
  double jitter_mean_us = 0;
  double jitter_max_us = 0;
  std::string seen_as;  // "address:port" that its packets came from; "" when none came
};

// One second of a direction, by when its packets were to be sent.
struct SecondResult {
  uint64_t received = 0;
  uint64_t late = 0;
  double delay_sum_us = 0;
  int64_t delay_max_us = 0;
  double jitter_sum_us = 0;  // of the running estimates, one a packet
};

// A direction as its receiver saw it.
struct Received {
  std::vector<FlowResult> flows;  // by client
  std::vector<SecondResult> seconds;
  Histogram delay;           // one-way, all packets
  uint64_t queue_drops = 0;  // by the receiver's own socket queue, all sessions together
  uint64_t other = 0;        // packets of no session, during this one
  uint64_t malformed = 0;    // packets that are none of this tool's
  uint64_t clock_steps = 0;
  int64_t bound_us = 0;         // how wrong one-way delays can be
  bool is_bound_known = false;  // false: the clocks were never compared, delays mean nothing
};

// The sender's side.
struct Sent {
  std::vector<uint64_t> packets;  // by client: taken by the kernel
  std::vector<uint64_t> errors;   // by client: refused by the kernel
  std::vector<std::string> why;   // by client: the last error in words; "" without one
  std::vector<uint64_t> seconds;  // packets by second
  uint64_t planned = 0;           // by the plan, all callers
  double planned_s = 0;           // by the plan, as took_s; 0: not known
  Histogram lateness;             // after the intended time
  double slept = 0;               // share of the time that the sender slept, 0 to 1
  double took_s = 0;              // each caller, to the end of its last packet's interval
};

// One caller in all.
struct Caller {
  uint32_t client = 0;
  std::string address;  // "10.8.0.2", "10.8.0.2 tun3"; "" when the route chose
  uint64_t sent = 0;
  uint64_t send_errors = 0;
  std::string send_error;
  FlowResult out;
  uint64_t lost = 0;      // sent - received
  bool has_back = false;  // echo mode
  FlowResult back;
  uint64_t back_sent = 0;  // echoes the server sent
  uint64_t back_lost = 0;
  Times rtt;
  double r = 0, mos = 0;  // of the worse direction; mos 0: not known, it sent nothing
};

struct Settings {
  std::string server;  // "10.0.0.1:5001"
  uint32_t clients = 0;
  double bps = 0;
  size_t packet_size = 0;
  double interval_us = 0;
  double seconds = 0;
  bool echo = false;
  Codec codec;
  double jitter_buffer_ms = 60;
  int dscp = 0;
};

struct TotalSecond {
  int64_t second = 0;  // since the beginning
  uint64_t sent = 0, received = 0, lost = 0, late = 0;
  double jitter_us = 0;  // mean
  double delay_us = 0;   // mean
  int64_t delay_max_us = 0;
  double mos = 0;
};

struct Direction {
  uint64_t sent = 0, received = 0, lost = 0, duplicated = 0, reordered = 0, late = 0;
  double loss() const {
    return sent == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(sent);
  }
};

struct Totals {
  Direction out, back;
  uint64_t planned = 0, send_errors = 0;
  uint64_t callers_below = 0;  // with a MOS below `mos_limit`
  double mos_limit = 3.6;
  double mos_mean = 0, mos_min = 0;
  double rate_bps = 0;    // sent, UDP payload, a caller
  double rate_error = 0;  // against the rate asked for, 0.001 is 0.1 %
};

// Where packets were lost, and whether the run can be believed.
struct Verdict {
  uint64_t by_sender = 0;    // refused by the sender's kernel: never on the way
  uint64_t by_receiver = 0;  // by the receiver's queue
  uint64_t by_network = 0;   // the rest of the lost
  bool is_valid = true;
  std::vector<std::string> sentences;      // where loss happened, and what to change; for people
  std::vector<std::string> broken_limits;  // "loss is 1.20 %, over the limit of 1.00 %"
};

struct Report {
  std::string kind = "client";  // "client", "server", "merged"
  int64_t started_unix_s = 0;
  std::string
      ended;  // why it ended early: "the client vanished", "interrupted"; "" when it did not
  Settings settings;
  Totals totals;
  Verdict verdict;
  bool has_receiver = true;  // false: no report came from the server; only the sender's part holds
  int64_t bound_us = 0;      // of one-way delays
  bool is_bound_known = false;
  uint64_t other = 0, malformed = 0, clock_steps = 0;
  double slept = 0;
  Histogram delay, back_delay, rtt, lateness;
  Histogram jitter;  // a value for each caller: its mean jitter
  std::vector<TotalSecond> seconds;
  std::vector<Caller> callers;
};

// Limits that --max-loss and its like set; none when negative.
struct Limits {
  double loss = -1;  // share, 0.01 is 1 %
  double jitter_ms = -1;
  double delay_p99_ms = -1;
  double mos = -1;
  double late_ms = 10;  // the sender's p99 lateness; beyond it the run is invalid
};

// Puts the parts together: callers, totals, seconds, histograms. `back` and `rtt` may be null. A
// caller that the receiver never saw has all its packets lost.
struct Parts {
  const Sent* sent = nullptr;      // null in the server's own report of a client that vanished:
                                   // `expected` of each flow stands for what was sent
  const Received* out = nullptr;   // null: no report from the server
  const Received* back = nullptr;  // null: no echo
  const std::vector<Histogram>* rtt = nullptr;    // by client
  const std::vector<uint64_t>* echoes = nullptr;  // by client, sent by the server; null: all that
                                                  // it received
  std::vector<std::string> addresses{};           // by client
};
Report make_report(const Settings& settings, const Parts& parts);

// Makes of report.callers what follows from them: their totals and the histogram of jitter.
void add_up(Report& report);

// Fills in report.verdict, and the totals that follow from the limit of MOS. A caller breaks a
// limit of jitter or MOS when its own value does; loss and delay are those of all, in the worse
// direction. `out` and `back` tell of the receivers' queues; without both, the verdict's
// by_receiver stays.
void judge(Report& report, const Limits& limits, const Received* out, const Received* back);

// Adds reports of several generators: callers one after another, counters and histograms added,
// seconds by their number. They must agree on codec, packet size and rate: 65 that names the two.
Report merge_reports(const std::vector<Report>& reports, const std::vector<std::string>& names);

// Judges a merged report. It is invalid too when one of its parts is: many good senders would hide
// a late one.
void judge_merged(Report& merged, std::vector<Report> parts, const std::vector<std::string>& names,
                  const Limits& limits);

}  // namespace udp
