#include "commands/udp_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/findings.hpp"
#include "commands/relations.hpp"
#include "udp/packet.hpp"
#include "udp/session.hpp"

namespace commands {

namespace {

constexpr int64_t kMostClients = 1'000'000;
constexpr int64_t kMostBps = 10'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr double kMostSeconds = udp::SessionLimits{}.seconds;
constexpr int64_t kMostPort = 65'535;

constexpr const char* kOfServer =
    "bind allow server-respond once max-sessions max-callers receive-buffer";
constexpr const char* kOfTarget = "host";
constexpr const char* kOfTraffic =
    "clients seconds packets bps packet-size profile ramp echo dscp fragment codec jitter-buffer";
constexpr const char* kOfAddresses = "min-client-addr client-addrs addresses cidr";
constexpr const char* kOfLimits = "max-loss max-jitter max-delay-p99 min-mos max-late";
constexpr const char* kOfFiles = "output-file csv report";
constexpr const char* kOfRoutes = "server first-table remove";

constexpr Relation kApart[] = {
    {"packets", "seconds"},
    {"profile", "bps packet-size"},
    {"min-client-addr", "addresses cidr interfaces"},
    {"addresses", "cidr interfaces"},
    {"cidr", "interfaces"},
};

constexpr Relation kNeeds[] = {
    {"client-addrs", "min-client-addr"},
};

struct Profile {
  const char* name;
  int packet_size;  // RTP header and payload
  int bps;          // 50 packets a second
  const char* codec;
};
constexpr Profile kProfiles[] = {
    {"g711", 172, 68'800, "g711"},
    {"g729", 32, 12'800, "g729"},
    {"opus", 72, 28'800, "opus"},
};

std::vector<Option> traffic_options() {
  const std::string group = "Client: traffic";
  return {
      {group, "--host", "HOST[:PORT]", "", "", "the server; default: 127.0.0.1, and --port"},
      {group, "--clients", "N", "", "1", "callers"},
      {group, "--seconds", "DURATION", "", "10", "each caller sends for so long: 60, 90s, 5m"},
      {group, "--packets", "N", "", "", "each caller sends so many packets, instead of --seconds"},
      {group, "--bps", "N", "", "68000", "bits a second of UDP payload, each caller"},
      {group, "--packet-size", "BYTES", "", "160",
       "UDP payload; the packet interval follows from it and --bps"},
      {group, "--profile", "g711|g729|opus", "", "",
       "g711 (172 bytes), g729 (32) or opus (72), each with its RTP header every 20 ms, and its "
       "codec",
       Kind::choice},
      {group, "--ramp", "DURATION", "", "1s", "the last caller begins so long after the first"},
      {group, "--echo", "", "", "",
       "two-way: the server sends each packet back to where it came from; adds round-trip times",
       Kind::toggle},
      {group, "--dscp", "N", "", "0", "0 to 63; 46 is what voice is marked with (EF)"},
      {group, "--fragment", "", "", "", "let packets over the MTU be sent in pieces", Kind::toggle},
      {group, "--find-max", "", "", "",
       "find the largest number of callers, up to --clients, that meets the limits (without any: "
       "no loss over 1 %, MOS 3.6); each step takes --seconds",
       Kind::toggle},
  };
}

std::vector<Option> address_options() {
  const std::string group = "Client: source addresses (more callers than addresses wrap around)";
  return {
      {group, "--min-client-addr", "ADDR", "", "", "the first one"},
      {group, "--client-addrs", "N", "", "",
       "how many there are from the first on; default: one a caller"},
      {group, "--addresses", "FILE|-", "", "",
       "one a line, with its interface behind it if wanted"},
      {group, "--cidr", "CIDR", "", "", "all of 10.8.0.0/22"},
      {group, "--interfaces", "GLOB", "", "",
       "those of the interfaces that fit, 'tun*'; each caller is bound to its interface "
       "(SO_BINDTODEVICE), so that no routes are needed"},
  };
}

std::vector<Option> quality_options() {
  const std::string group = "Call quality and limits (a broken one: exit code 1)";
  return {
      {group, "--codec", "g711|g711-plc|g729|opus", "", "",
       "for the MOS (E-model): g711, g711-plc (hides losses), g729, opus; default: the profile's, "
       "else g711",
       Kind::choice},
      {group, "--jitter-buffer", "DURATION", "", "60ms",
       "what arrives later than this after the fastest packet is late: useless to the listener"},
      {group, "--max-loss", "PERCENT", "", "", "of all packets, 1%"},
      {group, "--max-jitter", "DURATION", "", "", "of each caller, RFC 3550: 30ms"},
      {group, "--max-delay-p99", "DURATION", "", "", "one way, 150ms"},
      {group, "--min-mos", "N", "", "", "of each caller, 3.6"},
      {group, "--max-late", "DURATION", "", "10ms",
       "this machine's own lateness in sending (p99) beyond which the run is invalid: exit code 1"},
  };
}

std::vector<Option> output_options_of_udp() {
  const std::string group = "Output";
  return {
      {group, "--output", "text|json", "", "text", "text or json; of a server one line a test",
       Kind::choice},
      {group, "--output-file", "FILE", "", "", "write that to a file instead, for merge"},
      {group, "--csv", "FILE", "", "", "a line for each caller"},
      {group, "--report", "FILE.html", "", "", "a page with charts that needs nothing but itself"},
      {group, "--verbose", "", "", "", "every second and every caller", Kind::toggle},
      check_option(
          group, "the port, the addresses, the buffers and limits, and whether the server answers"),
      {group, "--quiet,-q", "", "", "", "no progress on standard error", Kind::toggle},
  };
}

std::vector<Option> server_options_of_udp() {
  const std::string group = "Server";
  return {
      {group, "--port", "N", "", "5001", "UDP and TCP (the control channel); client and server"},
      {group, "--bind", "ADDR", "", "", "listen at this address only; default: all"},
      {group, "--allow", "CIDR", "", "", "only these may open a test and send; comma-separated"},
      {group, "--server-respond", "", "", "", "echo in every test, as if the client had asked",
       Kind::toggle},
      {group, "--once", "", "", "", "end after the first test", Kind::toggle},
      {group, "--max-sessions", "N", "", "16", "tests at once"},
      {group, "--max-callers", "N", "", "100000", "of all tests together; some KiB each"},
      {group, "--receive-buffer", "BYTES", "", "33554432",
       "queue for packets that wait; without root at most net.core.rmem_max"},
  };
}

std::vector<Option> route_options() {
  const std::string group = "Routes";
  return {
      {group, "--server", "ADDR", "", "", "what is reached through the tunnels: addresses, CIDRs"},
      {group, "--first-table", "N", "", "1000", "routing table of the first tunnel"},
      {group, "--remove", "", "", "", "the commands that take it all away again", Kind::toggle},
  };
}

void refuse(const std::string& problem) {
  if (!problem.empty()) throw base::Error(base::exit_usage, problem);
}

void refuse_for(const Options& options, const std::string& job,
                std::initializer_list<const char*> lists) {
  for (const char* names : lists) refuse(problem_without_effect(options, job, names));
}

std::string nearest_job(const std::string& word) {
  return base::nearest(word, {"client", "server", "demo", "routes", "merge"});
}

const Profile* profile_of(const Options& options) {
  const std::string name = options.choice("profile");
  for (const Profile& profile : kProfiles) {
    if (name == profile.name) return &profile;
  }
  return nullptr;
}

udp::Load read_load(const Options& options) {
  udp::Load load;
  load.clients = static_cast<uint32_t>(options.number("clients", 1, kMostClients));
  const Profile* profile = profile_of(options);
  load.bps =
      profile != nullptr ? profile->bps : static_cast<double>(options.number("bps", 1, kMostBps));
  load.packet_size = profile != nullptr
                         ? static_cast<size_t>(profile->packet_size)
                         : static_cast<size_t>(options.number("packet-size", udp::kHeaderSize,
                                                              udp::kMostPacketSize));
  load.duration_ns = options.duration_ms("seconds", 1) * kNsPerMs;
  if (options.is_on("packets")) {
    load.packets = static_cast<uint64_t>(options.number("packets", 1, 4'000'000'000));
  }
  load.ramp_ns = options.duration_ms("ramp", 0) * kNsPerMs;
  const double interval_s = static_cast<double>(load.packet_size) * 8 / load.bps;
  const double seconds = static_cast<double>(std::max<uint64_t>(load.packets, 1)) * interval_s;
  if (seconds > kMostSeconds) {
    throw base::Error(
        base::exit_usage,
        fmt::format("{} packets at this rate take {:.0f} s, and a test may take {:.0f} s: "
                    "fewer --packets, a higher --bps or a smaller --packet-size",
                    std::max<uint64_t>(load.packets, 1), seconds, kMostSeconds));
  }
  return load;
}

// A time of some milliseconds. A number alone would be seconds, as everywhere, and a limit of 30 s
// of jitter is none, so it is refused.
double read_short_ms(const Options& options, const std::string& name, int64_t least_ms) {
  const std::string text = base::trim(options.text(name));
  double number = 0;
  if (base::read_number(text, number) && number != 0) {
    throw options.wrong_value(name, fmt::format("a time with its unit, like {}ms", text));
  }
  return static_cast<double>(options.duration_ms(name, least_ms));
}

// "1%", "0.5": percent; the share.
double read_percent(const Options& options, const std::string& name) {
  std::string text = options.text(name);
  if (text.ends_with('%')) text = base::trim(text.substr(0, text.size() - 1));
  double percent = 0;
  if (!base::read_number(text, percent) || percent < 0 || percent > 100) {
    throw options.wrong_value(name, "percent from 0 to 100, like 1%");
  }
  return percent / 100;
}

}  // namespace

std::vector<Option> udp_options() {
  std::vector<Option> table = {
      {"Job", "--job,JOB", "JOB", "", "",
       "client, server, demo, routes, or merge and the files; default: client", Kind::words}};
  for (const auto& more : {traffic_options(), address_options(), quality_options(),
                           output_options_of_udp(), server_options_of_udp(), route_options()}) {
    table.insert(table.end(), more.begin(), more.end());
  }
  return table;
}

Page udp_help() {
  return {
      "client|server|demo|routes|merge [options]",
      "Would so many callers hear each other over this network? Simulated callers, each from an "
      "address of its own, send evenly paced voice packets to a server, which counts what is lost, "
      "doubled, out of order and late, and measures jitter and one-way delay; the E-model says how "
      "good calls would be (MOS). It says when this machine, not the network, is the "
      "bottleneck.\n\n"
      "server waits for tests; client runs one; demo does both on this machine for 10 s; routes "
      "prints the ip commands that send each tunnel's packets through that tunnel; merge adds the "
      "JSON reports of several clients. The flags of udptool are understood too: -server, "
      "-noclients, -noclientaddr, -minclientaddr, -packetsize, -serverrespond.",
      "  " PRODUCT_NAME
      " udp-load demo\n"
      "  " PRODUCT_NAME
      " udp-load server\n"
      "  " PRODUCT_NAME
      " udp-load client --host 10.0.0.1 --clients 1000 --profile g711 --seconds 60 \\\n"
      "      --min-client-addr 10.8.0.2 --max-loss 1% --min-mos 3.6 --report calls.html\n"
      "  " PRODUCT_NAME
      " udp-load client --host 10.0.0.1 --interfaces 'tun*' --clients 500 --echo\n"
      "  " PRODUCT_NAME
      " udp-load routes --interfaces 'tun*' --server 10.0.0.1 | sudo sh\n"
      "  " PRODUCT_NAME " udp-load merge a.json b.json --report all.html\n",
      {"client", "server", "demo", "routes", "merge FILE"}};
}

UdpJob read_udp_job(const Options& options) {
  const std::vector<std::string> words = options.list("job");
  const std::string job = words.empty() ? "client" : words[0];
  if (words.size() > 1 && job != "merge") {
    const std::string meant = nearest_job(words[1]);
    refuse(
        fmt::format("{} takes no {}; {}", job, shown_value(words[1]),
                    meant.empty() ? "see --help" : fmt::format("did you mean the job {}?", meant)));
  }
  refuse(problem_of_pairs(options, kApart));
  refuse(problem_of_needs(options, kNeeds));
  if (job == "client") {
    refuse_for(options, job, {kOfServer, kOfRoutes});
    return UdpJob::client;
  }
  if (job == "server") {
    refuse_for(options, job,
               {kOfTarget, kOfTraffic, kOfAddresses, kOfLimits, kOfFiles, kOfRoutes,
                "interfaces find-max"});
    return UdpJob::server;
  }
  if (job == "demo") {
    refuse_for(options, job, {kOfServer, kOfTarget, kOfRoutes, "port interfaces"});
    return UdpJob::demo;
  }
  if (job == "routes") {
    refuse_for(options, job,
               {kOfServer, kOfTarget, kOfTraffic, kOfLimits, kOfFiles, kOfAddresses,
                "port find-max output verbose quiet check"});
    if (!options.is_on("interfaces"))
      refuse("routes needs to know the tunnels: --interfaces 'tun*'");
    return UdpJob::routes;
  }
  if (job == "merge") {
    refuse_for(options, job,
               {kOfServer, kOfTarget, kOfTraffic, kOfAddresses, kOfRoutes,
                "port interfaces find-max quiet check"});
    if (words.size() < 2) refuse("merge needs the reports to add: merge a.json b.json");
    return UdpJob::merge;
  }
  const std::string meant = nearest_job(job);
  throw base::Error(
      base::exit_usage,
      fmt::format("unknown job {}{}; it is client, server, demo, routes or merge", shown_value(job),
                  meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

UdpTest read_udp_test(const Options& options) {
  UdpTest test;
  const auto port = static_cast<uint16_t>(options.number("port", 1, kMostPort));
  const std::string host = options.text("host");
  test.host = udp::read_host_port(host.empty() ? "127.0.0.1" : host, port, "--host");
  test.load = read_load(options);
  test.callers.first = options.text("min-client-addr");
  if (options.is_on("client-addrs")) {
    test.callers.count = static_cast<uint32_t>(options.number("client-addrs", 1, kMostClients));
  }
  test.callers.list_file = options.text("addresses");
  test.callers.cidr = options.text("cidr");
  test.callers.interfaces = options.text("interfaces");
  test.sockets.dscp = static_cast<int>(options.number("dscp", 0, 63));
  test.sockets.may_fragment = options.toggle("fragment");
  const Profile* profile = profile_of(options);
  const std::string codec = options.text("codec");
  if (!codec.empty()) {
    test.codec = udp::codec_named(codec);
  } else {
    test.codec = udp::codec_named(profile != nullptr ? profile->codec : "g711");
  }
  test.jitter_buffer_ms = read_short_ms(options, "jitter-buffer", 0);
  test.echo = options.toggle("echo");
  return test;
}

udp::Limits read_udp_limits(const Options& options) {
  udp::Limits limits;
  if (options.is_on("max-loss")) limits.loss = read_percent(options, "max-loss");
  if (options.is_on("max-jitter")) {
    limits.jitter_ms = read_short_ms(options, "max-jitter", 0);
  }
  if (options.is_on("max-delay-p99")) {
    limits.delay_p99_ms = read_short_ms(options, "max-delay-p99", 0);
  }
  if (options.is_on("min-mos")) {
    double mos = 0;
    if (!base::read_number(options.text("min-mos"), mos) || mos < 1 || mos > 4.5) {
      throw options.wrong_value("min-mos", "a number from 1 to 4.5");
    }
    limits.mos = mos;
  }
  limits.late_ms = read_short_ms(options, "max-late", 1);
  return limits;
}

}  // namespace commands
