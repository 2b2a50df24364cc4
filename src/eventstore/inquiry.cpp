#include "eventstore/inquiry.hpp"

#include <fmt/format.h>

#include <protozero/pbf_writer.hpp>

#include "base/signals.hpp"
#include "base/utf8.hpp"
#include "eventstore/protobuf.hpp"
#include "eventstore/rpc.hpp"

namespace eventstore {

namespace {

constexpr const char* kFeaturesPath =
    "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";
constexpr const char* kGroupPath =
    "/event_store.client.persistent_subscriptions.PersistentSubscriptions/GetInfo";
constexpr int64_t kLookEveryMs = 100;
constexpr size_t kMostVersion = 50;
constexpr int kUnimplemented = 12;  // gRPC's

// The one message of the answer.
std::string answer_to(const Nodes& nodes, const Node& node, const char* path,
                      std::string_view question, const base::Clock& clock, int64_t most_ms) {
  const int64_t until_ms = clock.monotonic_ms() + most_ms;
  Rpc rpc(nodes.call(node, path, question, true));
  std::string_view message;
  while (clock.monotonic_ms() < until_ms) {
    if (base::stop_asked()) throw base::Error(base::exit_interrupted, "stopped while asking");
    const net::Http2Came came = rpc.next(message, kLookEveryMs);
    if (came == net::Http2Came::data) return std::string(message);
    if (came == net::Http2Came::end) return "";
  }
  throw base::Error(
      base::exit_retries_spent,
      fmt::format("{} takes the question and does not answer", name_of(node.endpoint)));
}

}  // namespace

std::string version_in(std::string_view message) {
  std::string version;
  protobuf::reading("a list of what it can do", [&] {
    protobuf::Reader reader(message.data(), message.size());
    while (reader.next()) {
      if (reader.tag_and_type() == protobuf::bytes_of(2)) {
        version = protobuf::view_of(reader);
      } else {
        reader.skip();
      }
    }
  });
  return base::shorten(base::one_line(version), kMostVersion);
}

std::string group_question(const std::string& stream, const std::string& group) {
  std::string message;
  protozero::pbf_writer request(message);
  {
    protozero::pbf_writer options(request, 1);
    if (stream.empty()) {
      options.add_message(2, std::string());
    } else {
      protozero::pbf_writer identifier(options, 1);
      identifier.add_bytes(3, stream);
    }
    options.add_string(3, group);
  }
  return message;
}

std::string server_version(const Nodes& nodes, const Node& node, const base::Clock& clock,
                           int64_t most_ms) {
  try {
    return version_in(answer_to(nodes, node, kFeaturesPath, "", clock, most_ms));
  } catch (const RpcError& error) {
    if (error.status.code != kUnimplemented) throw;
    return "";
  }
}

void ask_for_group(const Nodes& nodes, const Node& node, const std::string& stream,
                   const std::string& group, const base::Clock& clock, int64_t most_ms) {
  answer_to(nodes, node, kGroupPath, group_question(stream, group), clock, most_ms);
}

}  // namespace eventstore
