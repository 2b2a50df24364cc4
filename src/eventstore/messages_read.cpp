#include "base/text.hpp"
#include "eventstore/messages.hpp"
#include "eventstore/protobuf.hpp"

namespace eventstore {

namespace {

using protobuf::bytes_of;
using protobuf::malformed;
using protobuf::number_of;
using protobuf::Reader;
using protobuf::reading;
using protobuf::view_of;
using protobuf::Wire;

void append_hex(uint64_t number, unsigned digits, std::string& to) {
  for (unsigned i = digits; i-- > 0;) to += "0123456789abcdef"[(number >> (4 * i)) & 0xFU];
}

void read_structured(Reader reader, std::string& id) {
  uint64_t most = 0;
  uint64_t least = 0;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case number_of(1):
        most = static_cast<uint64_t>(reader.get_int64());
        break;
      case number_of(2):
        least = static_cast<uint64_t>(reader.get_int64());
        break;
      default:
        reader.skip();
    }
  }
  id.clear();
  append_hex(most >> 32U, 8, id);
  id += '-';
  append_hex(most >> 16U, 4, id);
  id += '-';
  append_hex(most, 4, id);
  id += '-';
  append_hex(least >> 48U, 4, id);
  id += '-';
  append_hex(least, 12, id);
}

void read_uuid(Reader reader, std::string& id) {
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_of(1):
        read_structured(reader.get_message(), id);
        break;
      case bytes_of(2):
        id.assign(view_of(reader));
        if (!is_id(id)) throw malformed("an ID with white space or control characters");
        for (char& c : id) {
          if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
        }
        break;
      default:
        reader.skip();
    }
  }
}

void read_stream(Reader reader, std::string& name) {
  while (reader.next(3, Wire::length_delimited)) name.assign(view_of(reader));
}

// One entry of the map in which the server tells about the event.
void read_about(Reader reader, Event& event) {
  std::string_view name;
  std::string_view value;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_of(1):
        name = view_of(reader);
        break;
      case bytes_of(2):
        value = view_of(reader);
        break;
      default:
        reader.skip();
    }
  }
  if (name == "type") {
    event.type.assign(value);
  } else if (name == "content-type") {
    event.content_type.assign(value);
  } else if (name == "created") {
    base::read_number(value, event.created_ticks);
  }
}

// What events and links have.
struct Place {
  std::string& stream;
  uint64_t& revision;
  Position& position;
  std::string& id;
};

// `event` is nullptr for a link, of which no more than its place is wanted.
void read_recorded(Reader reader, const Place& place, Event* event) {
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_of(1):
        read_uuid(reader.get_message(), place.id);
        break;
      case bytes_of(2):
        read_stream(reader.get_message(), place.stream);
        break;
      case number_of(3):
        place.revision = reader.get_uint64();
        break;
      case number_of(4):
        place.position.prepare = reader.get_uint64();
        break;
      case number_of(5):
        place.position.commit = reader.get_uint64();
        break;
      case bytes_of(6):
        if (event == nullptr) {
          reader.skip();
        } else {
          read_about(reader.get_message(), *event);
        }
        break;
      case bytes_of(7):
        if (const auto view = view_of(reader); event != nullptr) event->metadata.assign(view);
        break;
      case bytes_of(8):
        if (const auto view = view_of(reader); event != nullptr) event->data.assign(view);
        break;
      default:
        reader.skip();
    }
  }
}

void clear(Event& event) {
  event.stream.clear();
  event.revision = 0;
  event.position = {};
  event.type.clear();
  event.id.clear();
  event.created_ticks = 0;
  event.content_type.clear();
  event.data.clear();
  event.metadata.clear();
  event.is_missing = false;
  event.retries = 0;
}

void clear(Link& link) {
  link.stream.clear();
  link.revision = 0;
  link.position = {};
  link.id.clear();
}

void read_event(Reader reader, Event& event) {
  clear(event);
  bool has_event = false;
  bool has_link = false;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_of(1):
        has_event = true;
        read_recorded(reader.get_message(),
                      {event.stream, event.revision, event.position, event.id}, &event);
        break;
      case bytes_of(2): {
        has_link = true;
        Link& link = event.link ? *event.link : event.link.emplace();
        clear(link);
        read_recorded(reader.get_message(), {link.stream, link.revision, link.position, link.id},
                      nullptr);
        break;
      }
      case number_of(5):  // persistent subscriptions only
        event.retries = reader.get_int32();
        break;
      default:
        reader.skip();
    }
  }
  if (!has_event && !has_link) throw malformed("an event that is empty");
  if (!has_link) event.link.reset();
  event.is_missing = !has_event;
}

std::optional<Position> position_of(Reader reader) {
  Position position;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case number_of(1):
        position.commit = reader.get_uint64();
        break;
      case number_of(2):
        position.prepare = reader.get_uint64();
        break;
      default:
        reader.skip();
    }
  }
  const bool is_none = position.commit == kNoPosition || position.prepare == kNoPosition;
  return is_none ? std::nullopt : std::optional(position);
}

void read_caught_up(Reader reader, ReadReply& reply) {
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case number_of(2):
        if (const int64_t revision = reader.get_int64(); revision >= 0) {
          reply.revision = static_cast<uint64_t>(revision);
        }
        break;
      case bytes_of(3):
        reply.position = position_of(reader.get_message());
        break;
      default:
        reader.skip();
    }
  }
}

void clear(ReadReply& reply) {
  reply.kind = ReadReply::Kind::other;
  reply.position.reset();
  reply.revision.reset();
}

void read_field(Reader& reader, ReadReply& reply, Event& event) {
  using Kind = ReadReply::Kind;
  switch (reader.tag_and_type()) {
    case bytes_of(1):
      reply.kind = Kind::event;
      read_event(reader.get_message(), event);
      break;
    case bytes_of(2):
      reply.kind = Kind::confirmation;
      reader.skip();
      break;
    case bytes_of(3):
      reply.kind = Kind::checkpoint;
      reply.position = position_of(reader.get_message());
      break;
    case bytes_of(4):
      reply.kind = Kind::stream_not_found;
      reader.skip();
      break;
    case bytes_of(8):
      reply.kind = Kind::caught_up;
      read_caught_up(reader.get_message(), reply);
      break;
    case bytes_of(9):
      reply.kind = Kind::fell_behind;
      read_caught_up(reader.get_message(), reply);
      break;
    default:
      reader.skip();
  }
}

}  // namespace

void read_reply(std::string_view message, ReadReply& reply, Event& event) {
  clear(reply);
  reading("an answer", [&] {
    Reader reader(message.data(), message.size());
    while (reader.next()) read_field(reader, reply, event);
  });
}

void persistent_reply(std::string_view message, ReadReply& reply, Event& event) {
  clear(reply);
  reading("an answer of a persistent subscription", [&] {
    Reader reader(message.data(), message.size());
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_of(1):
          reply.kind = ReadReply::Kind::event;
          read_event(reader.get_message(), event);
          break;
        case bytes_of(2):
          reply.kind = ReadReply::Kind::confirmation;
          reader.skip();
          break;
        default:
          reader.skip();
      }
    }
  });
}

}  // namespace eventstore
