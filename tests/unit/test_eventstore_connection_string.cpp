#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "base/error.hpp"
#include "eventstore/connection_string.hpp"

namespace {

using eventstore::Connection;
using Prefer = eventstore::Connection::Prefer;

Connection parsed(const std::string& text) {
  return eventstore::parse_connection_string(text, "--url");
}

// What differs from the defaults, in short.
std::string described(const Connection& is) {
  const Connection usual;
  std::string text;
  for (const auto& [host, port] : is.hosts) text += fmt::format("{}:{} ", host, port);
  if (is.discover) text += "discover ";
  if (!is.tls) text += "plain ";
  if (!is.verify) text += "unverified ";
  if (!is.ca_file.empty()) text += "ca=" + is.ca_file + " ";
  if (!is.key_file.empty()) text += "pair=" + is.certificate_file + "+" + is.key_file + " ";
  if (!is.user.empty()) text += "user=" + is.user + ":" + is.password + " ";
  if (is.prefer != usual.prefer) text += fmt::format("prefer={} ", static_cast<int>(is.prefer));
  const auto number = [&](const char* name, int64_t value, int64_t default_value) {
    if (value != default_value) text += fmt::format("{}={} ", name, value);
  };
  number("attempts", is.max_discover_attempts, usual.max_discover_attempts);
  number("discovery", is.discovery_interval_ms, usual.discovery_interval_ms);
  number("gossip", is.gossip_timeout_ms, usual.gossip_timeout_ms);
  number("interval", is.keepalive_interval_ms, usual.keepalive_interval_ms);
  number("timeout", is.keepalive_timeout_ms, usual.keepalive_timeout_ms);
  number("deadline", is.default_deadline_ms, usual.default_deadline_ms);
  if (!is.name.empty()) text += "name=" + is.name + " ";
  for (const std::string& key : is.ignored) text += "ignored=" + key + " ";
  if (!text.empty()) text.pop_back();
  return text;
}

// The error's words; "taken" when there is none.
std::string refusal(const std::string& text) {
  try {
    parsed(text);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_usage);
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("what stands in a connection string") {
  const std::pair<std::string, std::string> rows[] = {
      {"esdb://db", "db:2113"},
      {"esdb://db/", "db:2113"},
      {"esdb://db:3000", "db:3000"},
      {"kurrentdb://db", "db:2113"},
      {"kurrent://db", "db:2113"},
      {"kdb://db", "db:2113"},
      {"ESDB://db", "db:2113"},
      {"esdb+discover://cluster.example", "cluster.example:2113 discover"},
      {"kurrentdb+discover://db:2114/", "db:2114 discover"},
      {"esdb://a,b,c", "a:2113 b:2113 c:2113 discover"},
      {"esdb://a:1,b:2,c:65535", "a:1 b:2 c:65535 discover"},
      {"esdb://event_store-1.local:2115", "event_store-1.local:2115"},
      {"esdb://10.0.0.7", "10.0.0.7:2113"},
      {"esdb://[::1]", "::1:2113"},
      {"esdb://[fe80::1]:2114,[::ffff:10.0.0.1]", "fe80::1:2114 ::ffff:10.0.0.1:2113 discover"},
      {"esdb://ops:s3cret@db", "db:2113 user=ops:s3cret"},
      {"esdb://ops@db", "db:2113 user=ops:"},
      {"esdb://ops:@db", "db:2113 user=ops:"},
      {"esdb://o%40ps:a%3Ab%2F%3f%23%25@db", "db:2113 user=o@ps:a:b/?#%"},
      {"esdb://ops:a:b$^+@db:1/", "db:1 user=ops:a:b$^+"},
      {"esdb://ops:pw@a,b?nodePreference=follower", "a:2113 b:2113 discover user=ops:pw prefer=1"},
      {"esdb://db?tls=false", "db:2113 plain"},
      {"esdb://db/?TLS=False", "db:2113 plain"},
      {"esdb://db?tls=true&tlsVerifyCert=false", "db:2113 unverified"},
      {"esdb://db?tlsCaFile=/etc/my%20ca.pem", "db:2113 ca=/etc/my ca.pem"},
      {"esdb://db?userCertFile=a+b.crt&userKeyFile=a.key", "db:2113 pair=a+b.crt+a.key"},
      {"esdb://db?nodePreference=leader", "db:2113"},
      {"esdb://db?nodepreference=RANDOM", "db:2113 prefer=2"},
      {"esdb://db?nodePreference=readOnlyReplica", "db:2113 prefer=3"},
      {"esdb://db?MAXdiscoverATTEMPTS=3&DiscoveryInterval=500&gossiptimeout=1",
       "db:2113 attempts=3 discovery=500 gossip=1"},
      {"esdb://db?keepAliveInterval=20000&keepAliveTimeout=30000",
       "db:2113 interval=20000 timeout=30000"},
      {"esdb://db?keepAliveInterval=-1&keepAliveTimeout=-1", "db:2113 interval=-1 timeout=-1"},
      {"esdb://db?defaultDeadline=1", "db:2113 deadline=1"},
      {"esdb://db?connectionName=tail%26more", "db:2113 name=tail&more"},
      {"esdb://db?connectionName=a@b=c?d", "db:2113 name=a@b=c?d"},
      {"esdb://db?throwOnAppendFailure=true&dnsLookUpType=srv",
       "db:2113 ignored=throwOnAppendFailure ignored=dnsLookUpType"},
      {"esdb://db?", "db:2113"},
      {"esdb://db?&tls=false&", "db:2113 plain"},
  };
  for (const auto& [text, described_as] : rows) {
    CAPTURE(text);
    CHECK(described(parsed(text)) == described_as);
  }
}

TEST_CASE("what is no connection string, with words for each") {
  const std::pair<std::string, std::string> rows[] = {
      {"", "esdb://"},
      {"db", "esdb://"},
      {"http://db", "scheme"},
      {"esdb+discovery://db", "scheme"},
      {"esdb://", "host 1 is empty"},
      {"esdb:///", "host 1 is empty"},
      {"esdb://a,,b", "host 2 is empty"},
      {"esdb://a,", "host 2 is empty"},
      {"esdb://a;b", "host 1 is no name"},
      {"esdb://tls=false", "host 1 is no name"},
      {"esdb://\xC3\xA4", "xn--"},
      {"esdb://:2113", "host 1 is no name"},
      {"esdb://db:", "host 1 has no port"},
      {"esdb://db:0", "host 1 has no port"},
      {"esdb://db:65536", "host 1 has no port"},
      {"esdb://db:+1", "host 1 has no port"},
      {"esdb://a,b:200:300", "host 2 has no port"},
      {"esdb://[::1", "IPv6"},
      {"esdb://[]", "IPv6"},
      {"esdb://[db]", "IPv6"},
      {"esdb://[::1]2113", "host 1 has no port"},
      {"esdb://::1", "host 1 is no name"},
      {"esdb://db/streams", "/?key=value"},
      {"esdb://db/&tls=false", "/?key=value"},
      {"esdb://db#tls=false", "/?key=value"},
      {"esdb://@db", "no user"},
      {"esdb://:pw@db", "no user"},
      {"esdb://a%3Ab:pw@db", "colon"},
      {"esdb://ops:100%@db", "the password has a %"},
      {"esdb://ops:%zz@db", "the password has a %"},
      {"esdb://ops:a%0Ab@db", "the password has a line break"},
      {"esdb://db?tls", "key 1 behind the ? has no value"},
      {"esdb://db?tls=true&tlsCaFile=", "key 2 behind the ? has no value"},
      {"esdb://db?=1", "has no value"},
      {"esdb://db?tls=false&TLS=true", "key 2 behind the ? stands there for the second time"},
      {"esdb://db?tls=maybe", "tls must be true or false"},
      {"esdb://db?tls=false?nodePreference=follower", "tls must be true or false"},
      {"esdb://db?tlsVerifyCert=if you like", "tlsVerifyCert must be"},
      {"esdb://db?nodePreference=any", "nodePreference must be leader, follower"},
      {"esdb://db?keepAliveInterval=XXIV", "keepAliveInterval must be"},
      {"esdb://db?keepAliveInterval=0", "keepAliveInterval must be"},
      {"esdb://db?keepAliveTimeout=-33", "keepAliveTimeout must be"},
      {"esdb://db?maxDiscoverAttempts=0", "maxDiscoverAttempts must be"},
      {"esdb://db?gossipTimeout=5s", "gossipTimeout must be a whole number"},
      {"esdb://db?discoveryInterval=99999999999999999999", "discoveryInterval must be"},
      {"esdb://db?defaultDeadline=0", "defaultDeadline must be"},
      {"esdb://db?userCertFile=a.crt", "userKeyFile"},
      {"esdb://db?userKeyFile=a.key", "userCertFile"},
      {"esdb://db?connectionName=%00", "key 1 behind the ? has a line break or NUL"},
  };
  for (const auto& [text, words] : rows) {
    CAPTURE(text);
    const std::string error = refusal(text);
    CAPTURE(error);
    CHECK(error.starts_with("--url: "));
    CHECK(error.find(words) != std::string::npos);
  }
}

// An error, or what is warned of.
std::string shown_of(const std::string& text) {
  std::string shown = refusal(text);
  if (shown != "taken") return shown;
  for (const std::string& key : parsed(text).ignored) shown += key;
  return shown;
}

TEST_CASE("a password never shows, also where its signs break the string") {
  for (const std::string sign : {"", "@", ":", "/", "?", "#", "%", "&", "[", "?a=", "?&", "/?", " ",
                                 ",", ":1,", "=", "12?", "12?tls=", "\n"}) {
    for (const std::string end : {"db", "db:0", "", "db?tls=x", "[", "db?b=%"}) {
      const std::string text = "esdb://ops:hunter2" + sign + "hunter2@" + end;
      CAPTURE(text);
      CHECK(shown_of(text).find("hunter2") == std::string::npos);
    }
  }
  for (const std::string password : {"12?hunter2&b", "12?hunter2=1&hunter2=2", "12?hunter2=&b",
                                     "12?hunter2=%P", "12?hunter2=x&connectionName=x"}) {
    CAPTURE(password);
    CHECK(shown_of("esdb://ops:" + password + "@db").find("hunter2") == std::string::npos);
  }
}
