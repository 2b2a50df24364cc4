// Connection strings as the event store's official clients take them:
//   {esdb|kurrentdb|kurrent|kdb}[+discover]://[user:password@]host[:2113][,host…][/][?key=value&…]
//
// One host is asked directly; of several, and with +discover, gossip tells whom to ask. IPv6
// addresses stand in brackets. User, password and values may have %XX, and a password's @ : / ? #
// must. Keys are the same in any case:
//   tls, tlsVerifyCert (true)            tlsCaFile, userCertFile + userKeyFile
//   maxDiscoverAttempts (10)             discoveryInterval (100), gossipTimeout (5000)
//   nodePreference (leader)              keepAliveInterval, keepAliveTimeout (10000; -1 is off)
//   defaultDeadline (10000)              connectionName
// All times are milliseconds, gossipTimeout too, as in .NET and Java (in Go it is seconds). A key
// that is not known is passed over, as nearly all clients do, but named in `ignored`; a key that
// stands twice is refused, as clients differ in which one counts.
//
// Errors are 64 and show nothing of the string but keys: it holds a password.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventstore {

struct Endpoint {
  std::string host;  // an IPv6 address without its brackets
  uint16_t port = 2113;

  bool operator==(const Endpoint&) const = default;
};

struct Connection {
  std::vector<Endpoint> hosts;
  bool discover = false;
  bool tls = true;
  bool verify = true;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string user;
  std::string password;
  int max_discover_attempts = 10;
  int64_t discovery_interval_ms = 100;
  int64_t gossip_timeout_ms = 5'000;
  enum class Prefer { leader, follower, random, read_only_replica } prefer = Prefer::leader;
  int64_t keepalive_interval_ms = 10'000;  // -1: none
  int64_t keepalive_timeout_ms = 10'000;   // -1: none
  int64_t default_deadline_ms = 10'000;    // not for subscriptions
  std::string name;
  std::vector<std::string> ignored;  // keys
};

// `origin` names the string in errors: "--url", "ES_URL".
Connection parse_connection_string(std::string_view text, const std::string& origin);

}  // namespace eventstore
