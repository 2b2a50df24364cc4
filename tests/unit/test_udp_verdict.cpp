#include <doctest/doctest.h>

#include <functional>

#include "base/text.hpp"
#include "udp_report_stage.hpp"

using namespace udp_report;

namespace {

// What is judged, to be changed by a case.
struct Stage {
  udp::Sent sent = udp_report::sent(3);
  udp::Received out = received({100, 100, 100});
  udp::Received back = received({100, 100, 100});
  bool has_out = true, has_back = false;
  udp::Limits limits;
  std::string ended;

  udp::Report report() {
    udp::Parts parts;
    parts.sent = &sent;
    parts.out = has_out ? &out : nullptr;
    parts.back = has_back ? &back : nullptr;
    parts.addresses = addresses(3);
    udp::Report report = make_report(settings(3), parts);
    report.ended = ended;
    judge(report, limits, parts.out, parts.back);
    return report;
  }
};

using Change = std::function<void(Stage&)>;

}  // namespace

TEST_CASE("a run is believed when its sender kept to its plan") {
  struct Case {
    const char* name;
    Change change;
    bool is_valid;
    std::string sentences;  // joined by |, the first words of each
  };
  const std::vector<Case> cases = {
      {"as planned", [](Stage&) {}, true, ""},
      {"a late packet in a thousand is none", [](Stage& s) { s.sent.lateness.add(900'000); }, true,
       ""},
      {"late", [](Stage& s) { s.sent.lateness.add(12'000, 30); }, false,
       "The sender was late: 1 % of its packets left 12.0 ms or more after their time (the limit "
       "is "
       "10 ms)"},
      {"late, but the limit is higher",
       [](Stage& s) {
         s.sent.lateness.add(12'000, 30);
         s.limits.late_ms = 20;
       },
       true, ""},
      {"not all sent", [](Stage& s) { s.sent.planned = 302; }, false,
       "The sender could not send all: 2 of 302 planned packets (0.66 %)"},
      {"nearly all sent", [](Stage& s) { s.sent.planned = 300; }, true, ""},
      {"refused by the kernel",
       [](Stage& s) {
         s.sent.planned = 310;
         s.sent.errors[1] = 10;
         s.sent.why[1] = "Network is unreachable";
       },
       false, "10 packets of 1 caller never left this machine: Network is unreachable (10.8.0.3)"},
      {"interrupted",
       [](Stage& s) {
         s.sent.planned = 900;
         s.ended = "interrupted";
       },
       true, ""},
      {"nothing sent",
       [](Stage& s) {
         s.sent.packets.assign(3, 0);
         s.out = received({0, 0, 0});
       },
       false, "Nothing was sent"},
      {"clocks not compared", [](Stage& s) { s.out.is_bound_known = false; }, true,
       "The two clocks were never compared"},
      {"other things came",
       [](Stage& s) {
         s.out.other = 17;
         s.out.malformed = 1;
         s.out.clock_steps = 1;
       },
       true,
       "The receiver's wall clock was set 1 time|17 packets of no session|1 packet foreign to "
       "this tool"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Stage stage;
    c.change(stage);
    const udp::Verdict verdict = stage.report().verdict;
    CHECK(verdict.is_valid == c.is_valid);
    const std::vector<std::string> wanted =
        c.sentences.empty() ? std::vector<std::string>{} : base::split(c.sentences, '|');
    REQUIRE_MESSAGE(verdict.sentences.size() == wanted.size(), base::join(verdict.sentences, "|"));
    for (size_t i = 0; i < wanted.size(); ++i) {
      CHECK_MESSAGE(verdict.sentences[i].starts_with(wanted[i]), verdict.sentences[i]);
    }
  }
}

TEST_CASE("each lost packet has one place where it was lost") {
  struct Case {
    const char* name;
    Change change;
    uint64_t by_sender, by_receiver, by_network;
    std::string sentences;
  };
  const std::vector<Case> cases = {
      {"the network",
       [](Stage& s) {
         s.out = received({100, 90, 95});
       },
       0, 0, 15, "15 packets lost in the network."},
      {"the server's queue",
       [](Stage& s) {
         s.out = received({100, 90, 95});
         s.out.queue_drops = 15;
       },
       0, 15, 0, "15 packets lost in the server's own queue, not in the network: raise "},
      {"both",
       [](Stage& s) {
         s.out = received({100, 90, 95});
         s.out.queue_drops = 10;
       },
       0, 10, 5, "10 packets lost in the server's own queue|5 packets lost in the network."},
      {"drops of other sessions too",
       [](Stage& s) {
         s.out = received({100, 90, 95});
         s.out.queue_drops = 1000;
       },
       0, 15, 0, "15 packets lost in the server's own queue"},
      {"drops, but none of ours", [](Stage& s) { s.out.queue_drops = 7; }, 0, 0, 0, ""},
      {"the way back, and this machine's queue",
       [](Stage& s) {
         s.has_back = true;
         s.back = received({100, 90, 95});
         s.back.queue_drops = 10;
       },
       0, 10, 5,
       "10 packets lost in this machine's own queue on the way back|5 packets lost in the network, "
       "all on the way back."},
      {"a caller that nobody heard",
       [](Stage& s) {
         s.out = received({100, 0, 100});
       },
       0, 0, 100,
       "100 packets lost in the network.|No packet of 1 of 3 callers arrived (10.8.0.3)"},
      {"a caller that heard nobody",
       [](Stage& s) {
         s.has_back = true;
         s.back = received({0, 100, 100});
       },
       0, 0, 100,
       "100 packets lost in the network, all on the way back.|1 of 3 callers got no packet back "
       "(10.8.0.2)"},
      {"the sender's kernel",
       [](Stage& s) {
         s.sent.errors = {3, 4, 5};
         s.sent.why = {"No buffer space available", "Network is unreachable",
                       "No buffer space available"};
       },
       12, 0, 0,
       "4 packets of 1 caller never left this machine: Network is unreachable (10.8.0.3)|8 packets "
       "of 2 callers never left this machine: No buffer space available (10.8.0.2, 10.8.0.4)"},
      {"there or back, when the server says nothing",
       [](Stage& s) {
         s.has_out = false;
         s.has_back = true;
         s.back = received({100, 90, 100});
       },
       0, 0, 10, "10 packets lost in the network, there or back."},
      {"both ways",
       [](Stage& s) {
         s.has_back = true;
         s.out = received({100, 90, 100});
         s.back = received({99, 90, 100});
       },
       0, 0, 11,
       "11 packets lost in the network; of all that was lost, 10 on the way there and 1 on the way "
       "back."},
      {"too late to be heard", [](Stage& s) { s.out.flows[0].counts.late = 2; }, 0, 0, 0,
       "2 packets came too late for the jitter buffer of 60 ms"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Stage stage;
    c.change(stage);
    const udp::Verdict verdict = stage.report().verdict;
    CHECK(verdict.by_sender == c.by_sender);
    CHECK(verdict.by_receiver == c.by_receiver);
    CHECK(verdict.by_network == c.by_network);
    const std::vector<std::string> wanted =
        c.sentences.empty() ? std::vector<std::string>{} : base::split(c.sentences, '|');
    REQUIRE_MESSAGE(verdict.sentences.size() == wanted.size(), base::join(verdict.sentences, "|"));
    for (size_t i = 0; i < wanted.size(); ++i) {
      CHECK_MESSAGE(verdict.sentences[i].starts_with(wanted[i]), verdict.sentences[i]);
    }
  }
}

TEST_CASE("a broken limit says by how much, a kept one says nothing") {
  struct Case {
    const char* name;
    Change change;
    std::string broken;  // joined by |
  };
  const std::vector<Case> cases = {
      {"no limits",
       [](Stage& s) {
         s.out = received({50, 50, 50});
       },
       ""},
      {"all kept",
       [](Stage& s) { s.limits = {.loss = 0, .jitter_ms = 2, .delay_p99_ms = 21, .mos = 4}; }, ""},
      {"loss",
       [](Stage& s) {
         s.limits.loss = 0.01;
         s.out = received({100, 90, 100});
       },
       "loss is 3.33 %, over the limit of 1.00 %"},
      {"loss on the way back",
       [](Stage& s) {
         s.limits.loss = 0.01;
         s.has_back = true;
         s.back = received({100, 100, 94});
       },
       "loss is 2.00 %, over the limit of 1.00 %"},
      {"jitter",
       [](Stage& s) {
         s.limits.jitter_ms = 30;
         s.out.flows[1].jitter_mean_us = 45'200;
       },
       "jitter is over the limit of 30 ms for 1 of 3 callers (highest 45.2 ms; 10.8.0.3)"},
      {"delay", [](Stage& s) { s.limits.delay_p99_ms = 15; },
       "delay p99 is 20.0 ms, over the limit of 15 ms"},
      {"delay that nobody knows",
       [](Stage& s) {
         s.limits.delay_p99_ms = 150;
         s.out.is_bound_known = false;
       },
       "delay p99 can't be compared with the limit of 150 ms: the clocks of client and server were "
       "never compared"},
      {"MOS",
       [](Stage& s) {
         s.limits.mos = 3.6;
         s.out = received({100, 0, 100});
       },
       "MOS is below the limit of 3.6 for 1 of 3 callers (lowest 1.00; 10.8.0.3)"},
      {"no report",
       [](Stage& s) {
         s.limits = {.loss = 0.01, .jitter_ms = -1, .delay_p99_ms = -1, .mos = 3.6};
         s.has_out = false;
       },
       "loss: no report came from the server, so nothing can be said|MOS: no report came from the "
       "server, so nothing can be said"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Stage stage;
    c.change(stage);
    CHECK(base::join(stage.report().verdict.broken_limits, "|") == c.broken);
  }
}

TEST_CASE("callers are counted against the MOS that was asked for") {
  Stage stage;
  stage.limits.mos = 4.45;
  const udp::Report report = stage.report();
  CHECK(report.totals.callers_below == 3);
  CHECK(report.totals.mos_limit == 4.45);
}
