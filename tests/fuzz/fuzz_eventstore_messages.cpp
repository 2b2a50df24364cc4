// Bytes of a gRPC call: frames, and the event store's messages in them. Holds: frames are the same
// however the bytes are cut; an event is printed as JSON, and reads as it was.
#include "eventstore/event_json.hpp"
#include "eventstore/gossip.hpp"
#include "eventstore/grpc.hpp"
#include "eventstore/messages.hpp"
#include "fuzz.hpp"
#include "json/raw.hpp"

namespace {

using Messages = std::vector<std::string>;

Messages messages_of(std::string_view bytes, size_t step) {
  Messages found;
  eventstore::GrpcMessages messages;
  fuzz::takes([&] {
    while (!bytes.empty()) {
      messages.buffer() += bytes.substr(0, step);
      bytes.remove_prefix(std::min(step, bytes.size()));
      for (std::string_view message; messages.next(message);) found.emplace_back(message);
    }
  });
  return found;
}

bool same_place(const eventstore::Event& a, const eventstore::Event& b) {
  return a.stream == b.stream && a.revision == b.revision && a.position == b.position &&
         a.id == b.id && a.type == b.type && a.content_type == b.content_type;
}

void check_event(const eventstore::Event& event) {
  std::string line;
  eventstore::append_event_json(event, line);
  fuzz::expect(json::is_json(line) && line.find('\n') == std::string::npos, "a line of JSON", line);
  if (event.is_missing || event.type.empty()) return;
  std::string why;
  eventstore::Event again;
  const bool is_read =
      fuzz::takes([&] { again = eventstore::read_event_json(line, "line 1"); }, &why);
  fuzz::expect(is_read, "what is printed reads", why);
  const bool is_named = !base::first_invalid_utf8(event.content_type);
  fuzz::expect(!is_named || same_place(event, again), "it reads as it was", line);
  const std::string data = base::replace_all(base::replace_all(event.data, "\r", " "), "\n", " ");
  const bool is_same = again.data == event.data || base::trim(again.data) == base::trim(data);
  fuzz::expect(is_same, "data reads as it was", line);
}

void check_message(const std::string& message) {
  eventstore::ReadReply reply;
  eventstore::Event event;
  for (const auto read : {eventstore::read_reply, eventstore::persistent_reply}) {
    const bool is_read = fuzz::takes([&] { read(message, reply, event); });
    if (is_read && reply.kind == eventstore::ReadReply::Kind::event) check_event(event);
  }
  fuzz::takes([&] {
    const auto members = eventstore::gossip_reply(message);
    const auto chosen = eventstore::choose_member(members, eventstore::Connection::Prefer::leader,
                                                  [](size_t below) { return below - 1; });
    fuzz::expect(!chosen || !members.empty(), "one of them is chosen");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = fuzz::text_of(data, size);
  const Messages messages = messages_of(bytes, std::max<size_t>(bytes.size(), 1));
  fuzz::expect(messages == messages_of(bytes, 1), "frames are the same byte by byte");
  fuzz::expect(messages == messages_of(bytes, 7), "frames are the same by sevens");
  for (const std::string& message : messages) check_message(message);
  check_message(bytes);
  fuzz::expect(messages_of(eventstore::grpc_frame(bytes), 1'000) == Messages{bytes},
               "a frame holds its message");
  return 0;
}
