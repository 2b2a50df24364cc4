#include "commands/es_source.hpp"

#include <fmt/format.h>

#include <random>

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/es_options.hpp"
#include "commands/report.hpp"
#include "eventstore/file_source.hpp"
#include "eventstore/timestamp.hpp"
#include "net/ca.hpp"
#include "net/http2.hpp"
#include "net/loopback.hpp"

namespace commands {

namespace {

std::mt19937_64& random_engine() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return engine;
}

size_t random_below(size_t limit) {
  return std::uniform_int_distribution<size_t>(0, limit - 1)(random_engine());
}

double random_share() {
  return std::uniform_real_distribution<double>(0, 1)(random_engine());
}

net::Http2Options http2_options(const eventstore::Connection& settings, const base::Env& env) {
  net::Http2Options options;
  options.tls = settings.tls;
  options.verify = settings.verify;
  options.ca.file = settings.ca_file;
  if (settings.tls && settings.ca_file.empty()) options.ca = net::find_ca(env, net::path_exists);
  options.client_certificate_file = settings.certificate_file;
  options.client_key_file = settings.key_file;
  options.keepalive_interval_ms = settings.keepalive_interval_ms;
  options.keepalive_timeout_ms = settings.keepalive_timeout_ms;
  return options;
}

// Said also with --quiet: whoever switched this off must know, and whoever comes later.
void warn_of_open_ways(const eventstore::Connection& settings, const base::Env& env) {
  if (settings.tls && !settings.verify) {
    report_notice(env, kEsTail,
                  "tlsVerifyCert=false: the server's certificate is not checked, so anybody on the "
                  "way can pass for the server; name its CA by tlsCaFile=FILE instead");
  }
  if (settings.tls || settings.password.empty()) return;
  for (const eventstore::Endpoint& endpoint : settings.hosts) {
    if (net::is_loopback(endpoint.host)) continue;
    report_notice(env, kEsTail,
                  fmt::format("tls=false: the password goes to {} in the clear, and can be read on "
                              "the way; use tls=true",
                              endpoint.host));
  }
}

eventstore::Nodes::Connect connect_by(const net::Http2Options& http2) {
  return [http2](const eventstore::Endpoint& endpoint, int64_t most_ms) -> eventstore::Calls {
    net::Http2Options timed = http2;
    timed.connect_timeout_ms = most_ms;
    const auto connection =
        std::make_shared<net::Http2Connection>(endpoint.host, endpoint.port, timed);
    return [connection](const std::string& path, const net::Headers& headers, std::string_view body,
                        bool is_whole) { return connection->call(path, headers, body, is_whole); };
  };
}

std::optional<eventstore::Filter> read_filter(const Options& options) {
  using On = eventstore::Filter::On;
  if (options.is_on("event-type")) return {{On::type, "", options.list("event-type")}};
  if (options.is_on("event-type-regex")) return {{On::type, options.text("event-type-regex"), {}}};
  if (options.is_on("stream-prefix")) return {{On::stream, "", options.list("stream-prefix")}};
  if (options.is_on("stream-regex")) return {{On::stream, options.text("stream-regex"), {}}};
  return std::nullopt;
}

eventstore::Reading read_reading(const Options& options) {
  if (options.choice("direction") == "backwards") return eventstore::Reading::backwards;
  return options.toggle("exit") ? eventstore::Reading::to_end : eventstore::Reading::follow;
}

eventstore::Offset offset_of(const Options& options, eventstore::Reading reading, bool is_all) {
  using Kind = eventstore::Offset::Kind;
  eventstore::Offset offset;
  const bool from_start = options.is_on("processors") || reading == eventstore::Reading::to_end;
  offset.kind = from_start ? Kind::beginning : Kind::end;
  if (!options.is_on("offset")) return offset;
  const int64_t now_ticks = base::real_clock().unix_s() * eventstore::kTicksPerSecond;
  if (!eventstore::read_offset(base::trim(options.text("offset")), now_ticks, offset)) {
    throw options.wrong_value("offset",
                              "beginning, end, N, -N, @TIME, or COMMIT/PREPARE with --all");
  }
  if (is_all && offset.kind == Kind::time) {
    throw base::Error(base::exit_usage,
                      "--all can't be searched by time; give a single stream, or -o "
                      "COMMIT/PREPARE of an event of about then");
  }
  if (is_all && offset.kind == Kind::number) {
    throw base::Error(base::exit_usage, "events of --all have no numbers; give -o COMMIT/PREPARE");
  }
  const bool can_go_back =
      offset.kind == Kind::end || offset.kind == Kind::number || offset.kind == Kind::position;
  if (reading == eventstore::Reading::backwards && !can_go_back) {
    throw options.wrong_value("offset", "end, N or COMMIT/PREPARE with --direction backwards");
  }
  if (!is_all && offset.kind == Kind::position) {
    throw base::Error(base::exit_usage, "-o COMMIT/PREPARE needs --all; a stream has numbers");
  }
  return offset;
}

}  // namespace

EsSource::EsSource(const Options& options, const OnNotice& on_notice)
    : options_(options), file_(options.text("from-file")), reading_(read_reading(options)) {
  if (options.is_on("stream")) target_.stream = options.values("stream").front();
  if (target_.stream == "$all") target_.stream.clear();
  target_.resolve_links = options.toggle("resolve-links");
  if (options.is_on("count")) {
    count_ = static_cast<uint64_t>(options.number("count", 1, INT64_MAX));
  }
  const std::optional<eventstore::Filter> filter = read_filter(options);
  const bool is_filtered_here = is_file() || !target_.is_all() || options.is_on("group");
  if (filter && is_filtered_here) filter_.emplace(*filter);
  if (filter && !is_filtered_here) target_.filter = filter;
  if (is_file()) return;
  offset_ = offset_of(options, reading_, target_.is_all());
  eventstore::Connection settings =
      eventstore::parse_connection_string(base::trim(options.text("url")), options.origin("url"));
  report_secret(options.env(), settings.password);
  for (const std::string& key : settings.ignored) {
    on_notice(fmt::format("{} of {} is not known, and has no effect", key, options.origin("url")));
  }
  warn_of_open_ways(settings, options.env());
  channel_.clock = base::real_clock();
  channel_.random = random_share;
  channel_.on_notice = on_notice;
  if (options.is_on("max-downtime"))
    channel_.max_downtime_ms = options.duration_ms("max-downtime", 0);
  nodes_ = std::make_unique<eventstore::Nodes>(
      settings, connect_by(http2_options(settings, options.env())), channel_.clock, random_below);
}

std::string EsSource::name() const {
  if (is_file()) return "file:" + file_;
  return target_.is_all() ? "$all" : target_.stream;
}

eventstore::Place EsSource::first_place() const {
  if (is_file()) return {};
  if (reading_ != eventstore::Reading::backwards) {
    return eventstore::find_place(*nodes_, channel_, target_, offset_);
  }
  using Place = eventstore::Place;
  using From = eventstore::Offset::Kind;
  if (offset_.kind == From::number) return {Place::Kind::after, offset_.number + 1, {}};
  if (offset_.kind == From::position) return {Place::Kind::after, 0, offset_.position};
  return {Place::Kind::end, 0, {}};
}

eventstore::Place EsSource::last_place() const {
  return eventstore::last_place(*nodes_, channel_, target_);
}

std::unique_ptr<eventstore::Source> EsSource::open(const eventstore::Place& from,
                                                   const std::vector<std::string>& types) const {
  if (is_file()) return std::make_unique<eventstore::FileSource>(file_, from);
  const uint64_t count = filter_ ? eventstore::kAllOfThem : count_;
  eventstore::Target target = target_;
  const bool can_filter = target.is_all() && !target.filter && !types.empty();
  if (can_filter) target.filter = {eventstore::Filter::On::type, "", types};
  return std::make_unique<eventstore::Subscription>(*nodes_, channel_, target, reading_, from,
                                                    count);
}

std::unique_ptr<eventstore::Group> EsSource::join() const {
  return std::make_unique<eventstore::Group>(
      *nodes_, channel_, target_.stream, options_.text("group"),
      static_cast<int>(options_.number("group-buffer", 1, 10'000)));
}

bool EsSource::takes(const eventstore::Event& event) const {
  return !filter_ || filter_->takes(event);
}

}  // namespace commands
