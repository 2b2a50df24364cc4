#include "commands/udp_seed_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace commands {

namespace {

enum class Side { both, server, client };

struct Flag {
  std::string_view name;  // udptool's
  std::string_view ours;
  bool is_boolean;
  Side side;
};

constexpr std::array<Flag, 12> kFlags{{
    {"server", "", true, Side::both},
    {"help", "help", true, Side::both},
    {"verbose", "verbose", true, Side::both},
    {"port", "port", false, Side::both},
    {"serverrespond", "server-respond", true, Side::server},
    {"host", "host", false, Side::client},
    {"noclients", "clients", false, Side::client},
    {"noclientaddr", "client-addrs", false, Side::client},
    {"minclientaddr", "min-client-addr", false, Side::client},
    {"seconds", "seconds", false, Side::client},
    {"bps", "bps", false, Side::client},
    {"packetsize", "packet-size", false, Side::client},
}};

// A word of the command line: translated, or as it was.
struct Word {
  std::string text;
  const Flag* flag = nullptr;
};

struct Reading {
  std::vector<Word> words;
  std::optional<bool> is_server;  // what -server says
  bool asks_help = false;
  bool has_empty_host = false;
};

bool is_job(const std::string& word) {
  return word == "server" || word == "client" || word == "demo" || word == "routes" ||
         word == "merge";
}

const Flag* flag_named(std::string_view name) {
  const auto* found = std::find_if(kFlags.begin(), kFlags.end(),
                                   [name](const Flag& flag) { return flag.name == name; });
  return found == kFlags.end() ? nullptr : found;
}

base::Error usage(const std::string& message) {
  return {base::exit_usage, message};
}

bool read_boolean(std::string_view flag, const std::string& value) {
  for (const char* yes : {"true", "1", "t", "T", "TRUE", "True"}) {
    if (value == yes) return true;
  }
  for (const char* no : {"false", "0", "f", "F", "FALSE", "False"}) {
    if (value == no) return false;
  }
  throw usage(fmt::format("-{} is '{}', which is neither true nor false", flag, value));
}

void check_profile(const std::string& argument) {
  if (argument != "-profile" && !argument.starts_with("-profile=")) return;
  throw usage(
      "-profile is not there (it opened a debugging port in udptool); leave it out, or write "
      "--profile g711 with two dashes for a kind of traffic");
}

void take_boolean(const Flag& flag, bool value, Reading& reading) {
  if (flag.name == "server") {
    reading.is_server = value;
  } else if (value) {
    if (flag.name == "help") reading.asks_help = true;
    reading.words.push_back({fmt::format("--{}", flag.ours), &flag});
  }
}

void take_value(const Flag& flag, const std::string& value, Reading& reading) {
  if (flag.name == "host") reading.has_empty_host = value.empty();
  if (value.empty()) return;  // as not given; CLI11 takes "--flag=" for one with the next word
  reading.words.push_back({fmt::format("--{}={}", flag.ours, value), &flag});
}

// `at` is the first word to be read.
Reading read_words(const std::vector<std::string>& arguments, size_t at) {
  Reading reading;
  for (; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument == "--") break;
    check_profile(argument);
    const size_t dashes = argument.starts_with("--") ? 2 : 1;
    const size_t equals = argument.find('=');
    const bool has_value = equals != std::string::npos;
    const Flag* flag = argument.starts_with('-')
                           ? flag_named(std::string_view(argument).substr(0, equals).substr(dashes))
                           : nullptr;
    if (flag == nullptr) {
      if (argument == "-h") reading.asks_help = true;
      reading.words.push_back({argument});
    } else if (flag->is_boolean) {
      const bool value = !has_value || read_boolean(flag->name, argument.substr(equals + 1));
      take_boolean(*flag, value, reading);
    } else if (!has_value && at + 1 == arguments.size()) {
      throw usage(fmt::format("{} needs a value behind it", argument));
    } else {
      const std::string value = has_value ? argument.substr(equals + 1) : arguments[++at];
      take_value(*flag, value, reading);
    }
  }
  for (; at < arguments.size(); ++at) reading.words.push_back({arguments[at]});
  return reading;
}

bool has(const Reading& reading, std::string_view name) {
  return std::any_of(reading.words.begin(), reading.words.end(), [name](const Word& word) {
    return word.flag != nullptr && word.flag->name == name;
  });
}

// udptool's defaults for addresses; ours are others.
void add_defaults(Reading& reading) {
  const bool has_first = has(reading, "minclientaddr");
  const bool has_count = has(reading, "noclientaddr");
  if (has_first && !has_count) reading.words.push_back({"--client-addrs=1"});
  if (has_count && !has_first) reading.words.push_back({"--min-client-addr=127.0.0.1"});
}

}  // namespace

std::vector<std::string> without_seed_flags(std::vector<std::string> arguments) {
  const std::string job = !arguments.empty() && is_job(arguments.front()) ? arguments.front() : "";
  if (job == "routes" || job == "merge") return arguments;
  Reading reading = read_words(arguments, job.empty() ? 0 : 1);
  if (job.empty() && reading.asks_help) return {"--help"};
  if (!job.empty() && reading.is_server && *reading.is_server != (job == "server")) {
    throw usage(
        fmt::format("the job is {}, but -server says otherwise; leave one of them out", job));
  }
  const bool is_server = job.empty() ? reading.is_server.value_or(false) : job == "server";
  if (reading.has_empty_host && !is_server) {
    throw usage("-host is empty; name the server, like 10.0.0.1:5001, or leave -host out");
  }
  const Side other_side = is_server ? Side::client : Side::server;
  if (job.empty() && !is_server) add_defaults(reading);
  std::vector<std::string> translated;
  if (!job.empty() || is_server) translated.emplace_back(is_server ? "server" : job);
  for (const Word& word : reading.words) {
    const bool is_idle = job.empty() && word.flag != nullptr && word.flag->side == other_side;
    if (!is_idle) translated.push_back(word.text);
  }
  return translated;
}

}  // namespace commands
