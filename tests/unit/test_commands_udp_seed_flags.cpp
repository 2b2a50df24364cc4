#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/udp_seed_flags.hpp"

namespace {

// Words in and out, joined by spaces; '' is an empty word. "64 …" for a refusal.
std::string translated(const std::string& line) {
  std::vector<std::string> words;
  for (const std::string& word : base::split(line, ' ')) {
    if (!word.empty()) words.push_back(word == "''" ? "" : word);
  }
  try {
    return base::join(commands::without_seed_flags(words), " ");
  } catch (const base::Error& error) {
    return std::to_string(error.code()) + " " + error.what();
  }
}

struct Row {
  std::string line, words;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(translated(row.line) == row.words);
  }
}

}  // namespace

TEST_CASE("udp seed flags: the seed's command lines run unchanged") {
  check({
      {"-server", "server"},
      {"-noclients 1000 -noclientaddr 1000 -minclientaddr 10.8.0.2 -host 10.0.0.1:5001 -bps 65000 "
       "-seconds 60",
       "--clients=1000 --client-addrs=1000 --min-client-addr=10.8.0.2 --host=10.0.0.1:5001 "
       "--bps=65000 --seconds=60"},
      {"-server -port 7000 -serverrespond -verbose",
       "server --port=7000 --server-respond --verbose"},
      {"--noclients=5 --packetsize=200 --host=vpn:1", "--clients=5 --packet-size=200 --host=vpn:1"},
      {"-help", "--help"},
      {"-server -port 7000 -help", "--help"},
  });
}

TEST_CASE("udp seed flags: booleans take no next word") {
  check({
      {"-server true", "server true"},
      {"-server=true", "server"},
      {"-server=F -host a", "--host=a"},
      {"-verbose=0", ""},
      {"--verbose=1 -help=false", "--verbose"},
      {"-server=yes", "64 -server is 'yes', which is neither true nor false"},
      {"-verbose=", "64 -verbose is '', which is neither true nor false"},
  });
}

TEST_CASE("udp seed flags: a value is a value, whatever it looks like") {
  check({
      {"-host -server", "--host=-server"},
      {"-minclientaddr=a=b -noclientaddr 2", "--min-client-addr=a=b --client-addrs=2"},
      {"-noclients", "64 -noclients needs a value behind it"},
      {"client --host", "64 --host needs a value behind it"},
  });
}

TEST_CASE("udp seed flags: the other side's flags do nothing, and the seed's defaults hold") {
  check({
      {"-server -noclients 10 -host a", "server"},
      {"-serverrespond -host a", "--host=a"},
      {"-minclientaddr 10.8.0.2", "--min-client-addr=10.8.0.2 --client-addrs=1"},
      {"-noclientaddr 10", "--client-addrs=10 --min-client-addr=127.0.0.1"},
  });
}

TEST_CASE("udp seed flags: our own words stay as they are") {
  check({
      {"", ""},
      {"-h", "--help"},
      {"client -h", "client -h"},
      {"client -help", "client --help"},
      {"--clients 5 --profile g711 --echo", "--clients 5 --profile g711 --echo"},
      {"client --min-client-addr 10.8.0.2", "client --min-client-addr 10.8.0.2"},
      {"client --addresses - --host a --port 7", "client --addresses - --host=a --port=7"},
      {"server -port 7000 --server-respond", "server --port=7000 --server-respond"},
      {"server -noclients 10", "server --clients=10"},
      {"demo -seconds 3", "demo --seconds=3"},
      {"routes --interfaces tun* --server 10.0.0.1", "routes --interfaces tun* --server 10.0.0.1"},
      {"merge a.json -verbose", "merge a.json -verbose"},
      {"a.json merge", "a.json merge"},
      {"client -- -server", "client -- -server"},
      {"server -server", "server"},
      {"-servers -s --", "-servers -s --"},
  });
}

TEST_CASE("udp seed flags: an empty value never takes the next word") {
  const std::string empty =
      "64 -host is empty; name the server, like 10.0.0.1:5001, or leave -host out";
  check({
      {"-host ''", empty},
      {"-host= -seconds=3", empty},
      {"client --host '' --seconds 3", empty},
      {"-server -host ''", "server"},
      {"-bps '' -seconds=3", "--seconds=3"},
  });
}

TEST_CASE("udp seed flags: what can't be meant is refused") {
  const std::string profile =
      "64 -profile is not there (it opened a debugging port in udptool); leave it out, or write "
      "--profile g711 with two dashes for a kind of traffic";
  check({
      {"-profile", profile},
      {"client -profile g711", profile},
      {"-profile=true", profile},
      {"client -server", "64 the job is client, but -server says otherwise; leave one of them out"},
      {"server -server=false",
       "64 the job is server, but -server says otherwise; leave one of them out"},
  });
}
