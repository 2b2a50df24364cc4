#include "eventstore/connection_string.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace eventstore {

namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";
constexpr int64_t kLongestMs = 86'400'000;

class Parser {
 public:
  explicit Parser(std::string origin) : origin_(std::move(origin)) {}
  Connection parse(std::string_view text);

 private:
  base::Error error(const std::string& why) const {
    return {base::exit_usage, fmt::format("{}: {}", origin_, why)};
  }
  void read_scheme(std::string_view scheme);
  void read_user(std::string_view user);
  Endpoint endpoint_of(std::string_view text, size_t number) const;
  void read_setting(std::string_view pair, size_t number);
  void set(const std::string& key, const std::string& shown, const std::string& value);
  bool truth(const std::string& key, const std::string& value) const;
  int64_t number(const std::string& key, const std::string& value, int64_t least,
                 int64_t most) const;
  int64_t keepalive(const std::string& key, const std::string& value) const;
  Connection::Prefer preference(const std::string& key, const std::string& value) const;
  std::string decoded(std::string_view text, const std::string& what) const;

  const std::string origin_;
  Connection connection_;
  std::set<std::string> seen_;  // keys in lower case
};

Connection Parser::parse(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) {
    throw error("it begins with no esdb:// or kurrentdb://; write esdb://HOST:2113");
  }
  read_scheme(text.substr(0, scheme));
  text.remove_prefix(scheme + 3);
  const size_t end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view hosts = text.substr(0, end);
  std::string_view rest = text.substr(end);
  const size_t at = hosts.rfind('@');
  if (at != std::string_view::npos) {
    read_user(hosts.substr(0, at));
    hosts.remove_prefix(at + 1);
  }
  for (const std::string& host : base::split(hosts, ',')) {
    connection_.hosts.push_back(endpoint_of(host, connection_.hosts.size() + 1));
  }
  connection_.discover = connection_.discover || connection_.hosts.size() > 1;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (!rest.empty() && rest.front() != '?') {
    throw error(
        "behind the hosts only /?key=value&… may stand; write / ? # in a password as %2F %3F %23");
  }
  if (!rest.empty()) {
    size_t number = 0;
    for (const std::string& pair : base::split(rest.substr(1), '&')) read_setting(pair, ++number);
  }
  const bool is_rather_a_password =
      !connection_.ignored.empty() && rest.find('@') != std::string_view::npos;
  if (is_rather_a_password) {
    throw error(
        "an @ stands behind the first ?, and a key that is not known; write ? in a password as "
        "%3F, @ in a value as %40");
  }
  if (connection_.certificate_file.empty() != connection_.key_file.empty()) {
    throw error("userCertFile and userKeyFile belong together; give both, or neither");
  }
  return std::move(connection_);
}

void Parser::read_scheme(std::string_view scheme) {
  constexpr std::string_view discover = "+discover";
  std::string name = base::lower_ascii(scheme);
  connection_.discover = name.ends_with(discover);
  if (connection_.discover) name.resize(name.size() - discover.size());
  if (name != "esdb" && name != "kurrentdb" && name != "kurrent" && name != "kdb") {
    throw error(
        "its scheme is unknown; known are esdb, kurrentdb, kurrent and kdb, each also with "
        "+discover");
  }
}

void Parser::read_user(std::string_view user) {
  if (user.find('@') != std::string_view::npos) {
    throw error("more than one @ stands before the hosts; write one in a password as %40");
  }
  const size_t colon = std::min(user.find(':'), user.size());
  connection_.user = decoded(user.substr(0, colon), "the user");
  connection_.password = decoded(user.substr(std::min(colon + 1, user.size())), "the password");
  if (connection_.user.empty()) {
    throw error("no user stands before the @; write user:password@ or leave it out");
  }
  if (connection_.user.find(':') != std::string::npos) {
    throw error("the user's name has a colon in it, which HTTP can't carry; take another user");
  }
}

Endpoint Parser::endpoint_of(std::string_view text, size_t number) const {
  const std::string which = fmt::format("host {}", number);
  if (text.empty()) throw error(which + " is empty; write esdb://HOST:2113");
  Endpoint endpoint;
  size_t port = std::string_view::npos;
  if (text.front() == '[') {
    const size_t close = text.find(']');
    const std::string_view address = text.substr(1, close - 1);
    const bool is_address =
        close != std::string_view::npos && std::count(address.begin(), address.end(), ':') >= 2 &&
        address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    if (!is_address) throw error(which + " is no IPv6 address in brackets; write [::1]:2113");
    endpoint.host = address;
    if (close + 1 < text.size()) port = close + 1;
  } else {
    port = text.find(':');
    endpoint.host = text.substr(0, port);
    const std::string known = fmt::format("{}{}-._", kLetters, kDigits);
    if (endpoint.host.empty() || endpoint.host.find_first_not_of(known) != std::string::npos) {
      throw error(which +
                  " is no name or address: letters, digits, - . _ and commas between hosts "
                  "(others in the form xn--…; percent-encode : @ / ? # in a password)");
    }
  }
  if (port == std::string_view::npos) return endpoint;
  const bool is_port = text[port] == ':' && base::read_number(text.substr(port + 1), endpoint.port);
  if (!is_port || endpoint.port == 0) {
    throw error(which + " has no port from 1 to 65535 behind it; write HOST:2113");
  }
  return endpoint;
}

// A key that is not known may be a part of a password with a ? in it, and is not named.
void Parser::read_setting(std::string_view pair, size_t number) {
  if (pair.empty()) return;
  const std::string which = fmt::format("key {} behind the ?", number);
  const size_t equals = pair.find('=');
  const std::string shown(pair.substr(0, equals));
  if (shown.find_first_not_of(fmt::format("{}{}-_.", kLetters, kDigits)) != std::string::npos) {
    throw error(which + " is no word; write key=value&key=value (? in a password: %3F)");
  }
  if (equals == std::string_view::npos || equals + 1 == pair.size() || shown.empty()) {
    throw error(which + " has no value; write key=value");
  }
  const std::string key = base::lower_ascii(shown);
  if (!seen_.insert(key).second) {
    throw error(which + " stands there for the second time; give it once");
  }
  set(key, shown, decoded(pair.substr(equals + 1), which));
}

void Parser::set(const std::string& key, const std::string& shown, const std::string& value) {
  Connection& to = connection_;
  if (key == "tls") {
    to.tls = truth(shown, value);
  } else if (key == "tlsverifycert") {
    to.verify = truth(shown, value);
  } else if (key == "tlscafile") {
    to.ca_file = value;
  } else if (key == "usercertfile") {
    to.certificate_file = value;
  } else if (key == "userkeyfile") {
    to.key_file = value;
  } else if (key == "maxdiscoverattempts") {
    to.max_discover_attempts = static_cast<int>(number(shown, value, 1, 1'000'000));
  } else if (key == "discoveryinterval") {
    to.discovery_interval_ms = number(shown, value, 0, kLongestMs);
  } else if (key == "gossiptimeout") {
    to.gossip_timeout_ms = number(shown, value, 1, kLongestMs);
  } else if (key == "nodepreference") {
    to.prefer = preference(shown, value);
  } else if (key == "keepaliveinterval") {
    to.keepalive_interval_ms = keepalive(shown, value);
  } else if (key == "keepalivetimeout") {
    to.keepalive_timeout_ms = keepalive(shown, value);
  } else if (key == "defaultdeadline") {
    to.default_deadline_ms = number(shown, value, 1, kLongestMs);
  } else if (key == "connectionname") {
    to.name = value;
  } else {
    to.ignored.push_back(shown);
  }
}

bool Parser::truth(const std::string& key, const std::string& value) const {
  const std::string word = base::lower_ascii(value);
  if (word != "true" && word != "false") throw error(key + " must be true or false");
  return word == "true";
}

int64_t Parser::number(const std::string& key, const std::string& value, int64_t least,
                       int64_t most) const {
  int64_t number = 0;
  if (!base::read_number(value, number) || number < least || number > most) {
    throw error(fmt::format("{} must be a whole number from {} to {}", key, least, most));
  }
  return number;
}

int64_t Parser::keepalive(const std::string& key, const std::string& value) const {
  if (value == "-1") return -1;
  int64_t ms = 0;
  if (!base::read_number(value, ms) || ms < 1 || ms > kLongestMs) {
    throw error(
        fmt::format("{} must be milliseconds from 1 to {}, or -1 for none", key, kLongestMs));
  }
  return ms;
}

Connection::Prefer Parser::preference(const std::string& key, const std::string& value) const {
  const std::string word = base::lower_ascii(value);
  if (word == "leader") return Connection::Prefer::leader;
  if (word == "follower") return Connection::Prefer::follower;
  if (word == "random") return Connection::Prefer::random;
  if (word == "readonlyreplica") return Connection::Prefer::read_only_replica;
  throw error(key + " must be leader, follower, random or readOnlyReplica");
}

std::string Parser::decoded(std::string_view text, const std::string& what) const {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned char byte = 0;
    const char* end = text.data() + std::min(i + 3, text.size());
    const auto result = std::from_chars(text.data() + i + 1, end, byte, 16);
    if (i + 2 >= text.size() || result.ec != std::errc() || result.ptr != end) {
      throw error(fmt::format("{} has a % without two hex digits; write % as %25", what));
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  if (decoded.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos) {
    throw error(fmt::format("{} has a line break or NUL in it; leave it out", what));
  }
  return decoded;
}

}  // namespace

Connection parse_connection_string(std::string_view text, const std::string& origin) {
  return Parser(origin).parse(text);
}

}  // namespace eventstore
