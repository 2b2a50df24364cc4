// The event store's messages from the server's side: what it says as bytes, what it was asked as
// words.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <string>

#include "eventstore/event.hpp"
#include "eventstore/grpc.hpp"

namespace eventstore_server {

using eventstore::Event;
using eventstore::Position;
using protozero::pbf_writer;

// --- What a server says ---

inline std::string framed(const std::string& message) {
  return eventstore::grpc_frame(message);
}

inline std::string confirmation() {
  std::string bytes;
  pbf_writer reply(bytes);
  pbf_writer told(reply, 2);
  told.add_string(1, "7a");
  told.commit();
  return framed(bytes);
}

// "00000000-0000-4000-8000-000000000007" for 7.
inline std::string id_of(uint64_t revision) {
  return fmt::format("00000000-0000-4000-8000-{:012}", revision);
}

struct Told {
  uint64_t revision = 0;
  Position position = {};
  std::string type = "ItemSold";
  int64_t created_ticks = 0;
  std::string data = "{}";
  std::optional<uint64_t> link_revision = {};  // of the link by which it comes
};

inline void add_told(pbf_writer& to, uint32_t tag, const Told& told, uint64_t revision) {
  pbf_writer event(to, tag);
  {
    pbf_writer id(event, 1);
    id.add_string(2, id_of(revision));
  }
  {
    pbf_writer stream(event, 2);
    stream.add_bytes(3, "orders");
  }
  event.add_uint64(3, revision);
  event.add_uint64(4, told.position.prepare);
  event.add_uint64(5, told.position.commit);
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>("type", told.type),
        std::pair<std::string, std::string>("created", std::to_string(told.created_ticks))}) {
    pbf_writer entry(event, 6);
    entry.add_string(1, name);
    entry.add_string(2, value);
  }
  event.add_bytes(8, told.data);
}

inline std::string event_frame(const Told& told) {
  std::string bytes;
  pbf_writer reply(bytes);
  pbf_writer event(reply, 1);
  add_told(event, 1, told, told.revision);
  if (told.link_revision) add_told(event, 2, told, *told.link_revision);
  event.commit();
  return framed(bytes);
}

inline std::string event_frame(uint64_t revision) {
  return event_frame(Told{revision});
}

inline std::string checkpoint_frame(const Position& position) {
  std::string bytes;
  pbf_writer reply(bytes);
  pbf_writer checkpoint(reply, 3);
  checkpoint.add_uint64(1, position.commit);
  checkpoint.add_uint64(2, position.prepare);
  checkpoint.commit();
  return framed(bytes);
}

inline std::string caught_up_frame(std::optional<int64_t> revision = {},
                                   std::optional<Position> position = {}) {
  std::string told;
  pbf_writer caught_up(told);
  if (revision) caught_up.add_int64(2, *revision);
  if (position) {
    pbf_writer at(caught_up, 3);
    at.add_uint64(1, position->commit);
    at.add_uint64(2, position->prepare);
  }
  std::string bytes;
  pbf_writer(bytes).add_message(8, told);
  return framed(bytes);
}

inline std::string not_found_frame() {
  std::string bytes;
  pbf_writer(bytes).add_message(4, std::string());
  return framed(bytes);
}

// --- What a client asks ---

inline std::string text_of_ids(protozero::pbf_reader reader) {
  std::string text;
  while (reader.next(2)) {
    protozero::pbf_reader id = reader.get_message();
    while (id.next(2)) text += " " + std::to_string(std::stoull(id.get_string().substr(24)));
  }
  return text;
}

// "ack 1 2", "nack(2) 3".
inline std::string text_of_answer(const std::string& message) {
  protozero::pbf_reader reader(message);
  if (!reader.next()) return "nothing";
  const auto tag = reader.tag();
  const protozero::pbf_reader answer = reader.get_message();
  if (tag == 2) return "ack" + text_of_ids(answer);
  protozero::pbf_reader action = answer;
  return action.next(3) ? fmt::format("nack({}){}", action.get_enum(), text_of_ids(answer)) : "?";
}

inline std::string place_in(protozero::pbf_reader reader, bool is_all) {
  while (reader.next()) {
    const bool is_start = reader.tag() == (is_all ? 2U : 3U);
    const bool is_end = reader.tag() == (is_all ? 3U : 4U);
    if (is_start) return "start";
    if (is_end) return "end";
    if (is_all) {
      protozero::pbf_reader at = reader.get_message();
      std::string text;
      while (at.next()) text += (text.empty() ? "" : "/") + std::to_string(at.get_uint64());
      return text;
    }
    if (reader.tag() == 2) return std::to_string(reader.get_uint64());
    reader.skip();
  }
  return "?";
}

// "orders from 5", "$all from 7/7 backwards x3 filtered": without "x" it is a subscription.
inline std::string text_of_read(const std::string& message) {
  protozero::pbf_reader outer(message);
  outer.next(1);
  protozero::pbf_reader reader = outer.get_message();
  std::string text;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        text += "orders from " + place_in(reader.get_message(), false);
        break;
      case 2:
        text += "$all from " + place_in(reader.get_message(), true);
        break;
      case 3:
        if (reader.get_enum() == 1) text += " backwards";
        break;
      case 4:
        if (reader.get_bool()) text += " links";
        break;
      case 5:
        text += fmt::format(" x{}", reader.get_uint64());
        break;
      case 7:
        text += " filtered";
        reader.skip();
        break;
      default:
        reader.skip();
    }
  }
  return text;
}

}  // namespace eventstore_server
