// Reading Protocol Buffers with protozero, for the files that decode the event store's messages.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace eventstore::protobuf {

using Reader = protozero::pbf_reader;
using Wire = protozero::pbf_wire_type;

// A field's number and its type on the wire: one of another type is no field of ours.
constexpr uint32_t bytes_of(uint32_t field) {
  return protozero::tag_and_type(field, Wire::length_delimited);
}

constexpr uint32_t number_of(uint32_t field) {
  return protozero::tag_and_type(field, Wire::varint);
}

inline std::string_view view_of(Reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

inline base::Error malformed(const std::string& what) {
  return {base::exit_malformed_reply, fmt::format("the event store sent {}", what)};
}

// Does work that decodes, so that protozero's own exceptions leave it as 76. `what` is that which
// is decoded.
template <typename Work>
void reading(const char* what, Work work) {
  try {
    work();
  } catch (const protozero::exception& error) {
    throw malformed(fmt::format("{} that is cut or broken ({})", what, error.what()));
  }
}

}  // namespace eventstore::protobuf
