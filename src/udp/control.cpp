#include "udp/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "udp/control_report.hpp"
#include "udp/control_value.hpp"

namespace udp::control {

namespace {

using json::Object;
using json::Value;

constexpr int64_t kVersion = 1;
constexpr size_t kMostRefusal = 500;
constexpr size_t kMostVersion = 50;

// --- Out ---

struct Writing {
  Object operator()(const Hello& hello) const {
    const SessionRequest& request = hello.request;
    return {{"hello", kVersion},
            {"clients", uint64_t{request.clients}},
            {"packet_size", uint64_t{request.packet_size}},
            {"bps", request.bps},
            {"seconds", request.seconds},
            {"echo", request.echo},
            {"jitter_buffer_ms", request.jitter_buffer_ms},
            {"codec", Object{{"name", request.codec.name},
                             {"ie", request.codec.ie},
                             {"bpl", request.codec.bpl},
                             {"frame_ms", request.codec.frame_ms}}}};
  }
  Object operator()(const Resume& resume) const { return {{"resume", hex_of(resume.cookie)}}; }
  Object operator()(const Welcome& welcome) const {
    return {
        {"session", hex_of(welcome.cookie)}, {"echo", welcome.echo}, {"version", PRODUCT_VERSION}};
  }
  Object operator()(const Refusal& refusal) const {
    return {{"error", refusal.text}, {"code", refusal.code}};
  }
  Object operator()(const Ping& ping) const { return {{"ping", ping.t1_ns}}; }
  Object operator()(const Pong& pong) const {
    return {{"pong", pong.t1_ns}, {"t2", pong.t2_ns}, {"t3", pong.t3_ns}};
  }
  Object operator()(const OffsetIs& is) const {
    return {{"offset_ns", is.offset.offset_ns}, {"bound_ns", is.offset.bound_ns}};
  }
  Object operator()(const Begin& begin) const { return {{"begin_ns", begin.begin_ns}}; }
  Object operator()(const Second& second) const {
    const Sessions::Progress& progress = second.progress;
    return {{"second", progress.second},
            {"received", progress.result.received},
            {"late", progress.result.late},
            {"delay_sum_us", progress.result.delay_sum_us},
            {"delay_max_us", progress.result.delay_max_us},
            {"jitter_sum_us", progress.result.jitter_sum_us}};
  }
  Object operator()(const End& end) const {
    return {{"end", Object{{"packets", numbers_out(end.sent.packets)},
                           {"errors", numbers_out(end.sent.errors)},
                           {"seconds", numbers_out(end.sent.seconds)}}}};
  }
  Object operator()(const FinalReport& report) const { return {{"report", report_out(report)}}; }
  Object operator()(const About& /*about*/) const { return {{"about", kVersion}}; }
  Object operator()(const Abilities& abilities) const {
    return {{"abilities", kVersion},
            {"version", abilities.version},
            {"sessions", abilities.room.sessions},
            {"most_sessions", abilities.room.most_sessions},
            {"callers", abilities.room.callers},
            {"most_callers", abilities.room.most_callers}};
  }
};

// --- In ---

uint64_t cookie_in(const Value& message, const std::string& name) {
  const std::string text = text_in(message, name, 16);
  uint64_t cookie = 0;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != 16 || !std::all_of(text.begin(), text.end(), is_digit)) {
    throw nonsense(fmt::format("'{}' is no session's name of 16 digits", name));
  }
  std::from_chars(text.data(), text.data() + text.size(), cookie, 16);
  return cookie;
}

Message hello_in(const Value& message) {
  const int64_t version = whole_in(message, "hello", INT64_MIN, INT64_MAX);
  if (version != kVersion) {
    throw base::Error(base::exit_malformed_reply,
                      fmt::format("the other side speaks version {} of the control channel, not "
                                  "{}; use the same version of " PRODUCT_NAME " on both sides",
                                  version, kVersion));
  }
  SessionRequest request;
  request.clients = static_cast<uint32_t>(whole_in(message, "clients", 1, UINT32_MAX));
  request.packet_size = static_cast<size_t>(whole_in(message, "packet_size", 1, UINT16_MAX));
  request.bps = number_in(message, "bps", 0, 1e12);
  request.seconds = number_in(message, "seconds", 0, 1e9);
  request.echo = json::bool_at(message, "echo");
  request.jitter_buffer_ms = number_in(message, "jitter_buffer_ms", 0, 1e6);
  const Value& codec = member_in(message, "codec");
  request.codec = {.name = text_in(codec, "name", 40),
                   .ie = number_in(codec, "ie", 0, 1000),
                   .bpl = number_in(codec, "bpl", 0, 1000),
                   .frame_ms = number_in(codec, "frame_ms", 0, 1000)};
  return Hello{request};
}

Message refusal_in(const Value& message) {
  // What a person will read: on one line, and nothing in it that a terminal obeys.
  std::string text = json::string_at(message, "error").substr(0, kMostRefusal);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c == 127; }, '?');
  return Refusal{.text = text, .code = static_cast<int>(whole_in(message, "code", 0, 255))};
}

Message second_in(const Value& message) {
  Sessions::Progress progress;
  progress.second = whole_in(message, "second", 0, kMostTime);
  progress.result.received = count_in(message, "received");
  progress.result.late = count_in(message, "late");
  progress.result.delay_sum_us = number_in(message, "delay_sum_us", 0, kMostSum);
  progress.result.delay_max_us = whole_in(message, "delay_max_us", 0, kMostTime);
  progress.result.jitter_sum_us = number_in(message, "jitter_sum_us", 0, kMostSum);
  return Second{progress};
}

Message end_in(const Value& end) {
  Sent sent;
  sent.packets = counts_in(end, "packets");
  sent.errors = counts_in(end, "errors");
  sent.seconds = counts_in(end, "seconds");
  return End{sent};
}

Message abilities_in(const Value& message) {
  return Abilities{.version = base::one_line(text_in(message, "version", kMostVersion)),
                   .room = {.sessions = count_in(message, "sessions"),
                            .most_sessions = count_in(message, "most_sessions"),
                            .callers = count_in(message, "callers"),
                            .most_callers = count_in(message, "most_callers")}};
}

int64_t time_in(const Value& message, const std::string& name) {
  return whole_in(message, name, -kMostTime, kMostTime);
}

}  // namespace

std::string write(const Message& message) {
  return json::write(std::visit(Writing{}, message)) + "\n";
}

std::optional<Message> read(const std::string& line) {
  const std::optional<Value> parsed = json::try_parse(line);
  if (!parsed || json::as_object(&*parsed) == nullptr) throw nonsense("no JSON object");
  const Value& message = *parsed;
  const auto has = [&](std::string_view name) { return json::find(message, name) != nullptr; };
  if (has("hello")) return hello_in(message);
  if (has("resume")) return Resume{cookie_in(message, "resume")};
  if (has("session")) {
    return Welcome{.cookie = cookie_in(message, "session"), .echo = json::bool_at(message, "echo")};
  }
  if (has("error")) return refusal_in(message);
  if (has("ping")) return Ping{time_in(message, "ping")};
  if (has("pong")) {
    return Pong{.t1_ns = time_in(message, "pong"),
                .t2_ns = time_in(message, "t2"),
                .t3_ns = time_in(message, "t3")};
  }
  if (has("offset_ns")) {
    return OffsetIs{{.offset_ns = time_in(message, "offset_ns"),
                     .bound_ns = whole_in(message, "bound_ns", 0, kMostTime)}};
  }
  if (has("begin_ns")) return Begin{time_in(message, "begin_ns")};
  if (has("second")) return second_in(message);
  if (has("end")) return end_in(member_in(message, "end"));
  if (has("report")) return report_in(member_in(message, "report"));
  if (has("about")) return About{};
  if (has("abilities")) return abilities_in(message);
  return std::nullopt;
}

}  // namespace udp::control
