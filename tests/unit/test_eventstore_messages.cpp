#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "eventstore/messages.hpp"

namespace {

using eventstore::Event;
using eventstore::Filter;
using eventstore::kNoPosition;
using eventstore::Nack;
using eventstore::Position;
using eventstore::ReadReply;
using eventstore::ReadRequest;
using Kind = eventstore::ReadReply::Kind;
using protozero::pbf_writer;

constexpr const char* kId = "01234567-89ab-cdef-fedc-ba9876543210";

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

void add_about(pbf_writer& event, const std::string& name, const std::string& value) {
  pbf_writer entry(event, 6);
  entry.add_string(1, name);
  entry.add_string(2, value);
}

void add_stream(pbf_writer& to, const std::string& name) {
  pbf_writer stream(to, 2);
  stream.add_bytes(3, name);
}

void add_recorded(pbf_writer& to, uint32_t tag, const std::string& stream, uint64_t revision,
                  bool structured) {
  pbf_writer event(to, tag);
  {
    pbf_writer id(event, 1);
    if (structured) {
      pbf_writer halves(id, 1);
      halves.add_int64(1, 0x0123456789abcdef);
      halves.add_int64(2, static_cast<int64_t>(0xfedcba9876543210));
    } else {
      id.add_string(2, "01234567-89AB-cdef-fedc-ba9876543210");
    }
  }
  add_stream(event, stream);
  event.add_uint64(3, revision);
  event.add_uint64(4, 1024);
  event.add_uint64(5, 2048);
  add_about(event, "type", "OrderPlaced");
  add_about(event, "created", "17956080001234567");
  add_about(event, "content-type", "application/json");
  add_about(event, "else", "skipped");
  event.add_bytes(7, "{\"m\":1}");
  event.add_bytes(8, std::string("{\"d\":\0}", 7));
  event.add_string(100, "of a later protocol");
}

enum class Linked { no, yes, to_nothing };

std::string event_reply(Linked linked, bool structured = false, uint32_t retries = 0) {
  std::string bytes;
  pbf_writer reply(bytes);
  pbf_writer event(reply, 1);
  if (linked != Linked::to_nothing) add_recorded(event, 1, "orders-1\xFF", 7, structured);
  if (linked != Linked::no) add_recorded(event, 2, "$ce-orders", 70, structured);
  event.add_uint64(3, 2048);
  if (retries > 0) event.add_int32(5, static_cast<int32_t>(retries));
  event.commit();
  return bytes;
}

std::string position_reply(uint32_t tag, uint64_t commit, uint64_t prepare) {
  std::string bytes;
  pbf_writer reply(bytes);
  pbf_writer position(reply, tag);
  position.add_uint64(1, commit);
  position.add_uint64(2, prepare);
  position.commit();
  return bytes;
}

// An event and a reply in which everything is set to something else.
Event used_event() {
  Event event;
  event.stream = event.type = event.id = event.content_type = event.data = event.metadata = "old";
  event.revision = 99;
  event.position = {1, 2};
  event.created_ticks = 99;
  event.link = eventstore::Link{"old", 99, {1, 2}, "old"};
  event.is_missing = true;
  event.retries = 99;
  return event;
}

}  // namespace

TEST_CASE("the official client's bytes for a subscription from the start") {
  ReadRequest request;
  request.stream = "orders";
  CHECK(hex(eventstore::read_request(request)) ==
        "0a160a0c0a081a066f72646572731a00320042004a021200");
}

TEST_CASE("requests for reading") {
  ReadRequest request;
  request.stream = "a";
  request.from = ReadRequest::From::position;
  request.revision = 300;
  request.backwards = true;
  request.resolve_links = true;
  request.count = 5;
  CHECK(hex(eventstore::read_request(request)) ==
        "0a160a080a031a016110ac0218012001280542004a021200");

  ReadRequest end;
  end.stream = "a";
  end.from = ReadRequest::From::end;
  CHECK(hex(eventstore::read_request(end)) == "0a110a070a031a01612200320042004a021200");
}

TEST_CASE("requests for reading all") {
  ReadRequest request;
  request.all = true;
  CHECK(hex(eventstore::read_request(request)) == "0a0c12021200320042004a021200");
  request.from = ReadRequest::From::end;
  CHECK(hex(eventstore::read_request(request)) == "0a0c12021a00320042004a021200");
  request.from = ReadRequest::From::position;
  request.position = {300, 5};
  CHECK(hex(eventstore::read_request(request)) == "0a1112070a0508ac021005320042004a021200");
}

TEST_CASE("requests with a filter have a search window and a checkpoint interval") {
  ReadRequest request;
  request.all = true;
  request.filter = Filter{Filter::On::type, "", {"a", "bc"}};
  CHECK(hex(eventstore::read_request(request)) ==
        "0a1a1202120032003a0e1207120161120262631"
        "8e80728014a021200");
  request.filter = Filter{Filter::On::stream, "^x", {"unused"}};
  CHECK(hex(eventstore::read_request(request)) ==
        "0a171202120032003a0b0a040a025e7818e80728014a021200");
}

TEST_CASE("requests to a persistent subscription") {
  CHECK(hex(eventstore::join_request("a", "g", 10)) ==
        "0a0e0a031a01611201671"
        "80a22021200");
  CHECK(hex(eventstore::join_request("$all", "g", 10)) == "0a0b2a00120167180a22021200");
  const std::string uuid =
      "1226"
      "1224" +
      hex(kId);
  CHECK(hex(eventstore::ack_request({kId})) == "1228" + uuid);
  CHECK(hex(eventstore::ack_request({kId, kId})) == "1250" + uuid + uuid);
  CHECK(hex(eventstore::nack_request({kId}, Nack::skip, "why")) == "1a2f" + uuid +
                                                                       "1803"
                                                                       "2203776879");
}

TEST_CASE("an event is read whole, into one that was used before") {
  for (const bool structured : {false, true}) {
    CAPTURE(structured);
    Event event = used_event();
    ReadReply reply{Kind::caught_up, Position{1, 1}, 2};
    eventstore::read_reply(event_reply(Linked::no, structured), reply, event);
    CHECK(reply.kind == Kind::event);
    CHECK(!reply.position);
    CHECK(!reply.revision);
    CHECK(event.stream == "orders-1\xFF");
    CHECK(event.revision == 7);
    CHECK(event.position == Position{2048, 1024});
    CHECK(event.type == "OrderPlaced");
    CHECK(event.id == kId);
    CHECK(event.created_ticks == 17956080001234567);
    CHECK(event.content_type == "application/json");
    CHECK(event.data == std::string("{\"d\":\0}", 7));
    CHECK(event.metadata == "{\"m\":1}");
    CHECK(!event.link);
    CHECK(!event.is_missing);
    CHECK(event.retries == 0);
  }
}

TEST_CASE("an event that came by a link, and a link whose target is gone") {
  Event event = used_event();
  ReadReply reply;
  eventstore::read_reply(event_reply(Linked::yes), reply, event);
  REQUIRE(event.link);
  CHECK(event.stream == "orders-1\xFF");
  CHECK(event.link->stream == "$ce-orders");
  CHECK(event.link->id == kId);
  CHECK(event.original_revision() == 70);
  CHECK(event.original_position() == Position{2048, 1024});
  CHECK(!event.is_missing);

  event = used_event();
  eventstore::read_reply(event_reply(Linked::to_nothing), reply, event);
  REQUIRE(event.link);
  CHECK(event.is_missing);
  CHECK(event.link->revision == 70);
  for (const std::string* text : {&event.stream, &event.type, &event.id, &event.data}) {
    CHECK(text->empty());
  }
}

TEST_CASE("an event that says little has the rest empty") {
  std::string bytes;
  pbf_writer reply_bytes(bytes);
  {
    pbf_writer event(reply_bytes, 1);
    pbf_writer recorded(event, 1);
    recorded.add_uint64(3, 0);
    recorded.add_uint64(4, kNoPosition);
    recorded.add_uint64(5, kNoPosition);
    add_about(recorded, "created", "soon");
  }
  Event event = used_event();
  ReadReply reply;
  eventstore::read_reply(bytes, reply, event);
  CHECK(event.type.empty());
  CHECK(event.created_ticks == 0);
  CHECK(event.position == Position{});
  CHECK(!event.link);
  CHECK_THROWS_AS(eventstore::read_reply(std::string("\x0a\x00", 2), reply, event), base::Error);
}

TEST_CASE("replies that are no events") {
  Event event;
  ReadReply reply;
  eventstore::read_reply("\x12\x06\x0a\x04sub1", reply, event);
  CHECK(reply.kind == Kind::confirmation);
  eventstore::read_reply(position_reply(3, 10, 5), reply, event);
  CHECK(reply.kind == Kind::checkpoint);
  CHECK(reply.position == Position{10, 5});
  eventstore::read_reply(position_reply(3, kNoPosition, kNoPosition), reply, event);
  CHECK(reply.kind == Kind::checkpoint);
  CHECK(!reply.position);
  eventstore::read_reply(std::string("\x22\x00", 2), reply, event);
  CHECK(reply.kind == Kind::stream_not_found);
  eventstore::read_reply("\x28\x03", reply, event);
  CHECK(reply.kind == Kind::other);
  eventstore::read_reply("\x30\xAC\x02", reply, event);
  CHECK(reply.kind == Kind::other);
  eventstore::read_reply("\xA2\x06\x03new", reply, event);
  CHECK(reply.kind == Kind::other);
  eventstore::read_reply("", reply, event);
  CHECK(reply.kind == Kind::other);
}

TEST_CASE("caught up, of old and of new servers") {
  Event event;
  ReadReply reply;
  eventstore::read_reply(std::string("\x42\x00", 2), reply, event);
  CHECK(reply.kind == Kind::caught_up);
  CHECK(!reply.position);
  CHECK(!reply.revision);
  eventstore::read_reply("\x42\x06\x0a\x02\x08\x05\x10\x07", reply, event);
  CHECK(reply.revision == 7);
  eventstore::read_reply("\x42\x06\x1a\x04\x08\x09\x10\x08", reply, event);
  CHECK(reply.position == Position{9, 8});
  CHECK(!reply.revision);
  const std::string minus_one = "\x42\x0B\x10" + std::string(9, '\xFF') + "\x01";
  eventstore::read_reply(minus_one, reply, event);
  CHECK(!reply.revision);
  eventstore::read_reply(std::string("\x4A\x00", 2), reply, event);
  CHECK(reply.kind == Kind::fell_behind);
}

TEST_CASE("replies of a persistent subscription") {
  Event event;
  ReadReply reply;
  eventstore::persistent_reply(event_reply(Linked::yes, false, 3), reply, event);
  CHECK(reply.kind == Kind::event);
  CHECK(event.retries == 3);
  eventstore::persistent_reply(event_reply(Linked::no), reply, event);
  CHECK(event.retries == 0);
  eventstore::persistent_reply("\x12\x06\x0a\x04sub1", reply, event);
  CHECK(reply.kind == Kind::confirmation);
  eventstore::persistent_reply(position_reply(3, 10, 5), reply, event);
  CHECK(reply.kind == Kind::other);
}

TEST_CASE("a reply that is cut anywhere is refused") {
  const std::string whole = event_reply(Linked::yes, true, 2);
  Event event;
  ReadReply reply;
  for (size_t length = 1; length < whole.size(); ++length) {
    CAPTURE(length);
    const std::string part = whole.substr(0, length);
    CHECK_THROWS_AS(eventstore::read_reply(part, reply, event), base::Error);
    CHECK_THROWS_AS(eventstore::persistent_reply(part, reply, event), base::Error);
  }
}

TEST_CASE("a reply with one byte changed is read or refused, no more") {
  const std::string whole = event_reply(Linked::yes, true, 2);
  Event event;
  ReadReply reply;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\1', '\x0f', '\x7f', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[at] = byte;
      try {
        eventstore::read_reply(changed, reply, event);
      } catch (const base::Error& error) {
        CHECK(error.code() == base::exit_malformed_reply);
      }
    }
  }
}
