// Questions to a server that take no event from anybody: its version, whether a group is there.
// Source: EventStoreDB's serverfeatures.proto and persistent.proto (GetInfo, from 22.6 on).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "eventstore/nodes.hpp"

namespace eventstore {

// "25.1.0"; "" of a server before 21.10, which does not tell. Throws RpcError, 75 when no answer
// comes within that time, 130 when a stop is asked for.
std::string server_version(const Nodes& nodes, const Node& node, const base::Clock& clock,
                           int64_t most_ms);

// Throws RpcError when the group is not there (66), the user may not ask (77) or the server is too
// old to be asked (76). `stream` "" is $all.
void ask_for_group(const Nodes& nodes, const Node& node, const std::string& stream,
                   const std::string& group, const base::Clock& clock, int64_t most_ms);

// The messages behind both: what they ask, and the version in the answer. Throws 76.
std::string version_in(std::string_view message);
std::string group_question(const std::string& stream, const std::string& group);

}  // namespace eventstore
