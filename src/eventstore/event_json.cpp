#include "eventstore/event_json.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "eventstore/timestamp.hpp"
#include "json/append.hpp"
#include "json/raw.hpp"
#include "net/base64.hpp"

namespace eventstore {

namespace {

using json::ObjectAppender;
using json::RawMember;

constexpr const char* kJsonType = "application/json";

// --- Writing ---

void append_name(ObjectAppender& to, const char* name, const char* base64_name,
                 const std::string& bytes) {
  to.text(name, bytes);
  if (base::first_invalid_utf8(bytes)) to.text(base64_name, net::base64(bytes));
}

void append_position(ObjectAppender& to, const Position& position) {
  if (position.commit != kNoPosition) to.number("commit", position.commit);
  if (position.prepare != kNoPosition) to.number("prepare", position.prepare);
}

void append_bytes(ObjectAppender& to, const char* name, const char* base64_name,
                  const std::string& bytes, bool may_be_json) {
  if (bytes.empty()) return;
  if (may_be_json && json::is_json(bytes)) {
    to.json(name, bytes);
  } else {
    to.text(base64_name, net::base64(bytes));
  }
}

void append_link(ObjectAppender& to, const Link& link) {
  ObjectAppender object = to.object("link");
  append_name(object, "stream", "stream_base64", link.stream);
  object.number("revision", link.revision);
  append_position(object, link.position);
  object.text("id", link.id);
  object.close();
}

void append_event(ObjectAppender& to, const Event& event) {
  append_name(to, "stream", "stream_base64", event.stream);
  to.number("revision", event.revision);
  append_position(to, event.position);
  append_name(to, "type", "type_base64", event.type);
  to.text("id", event.id);
  std::string created;
  append_time(event.created_ticks, created);
  to.text("created", created);
  to.text("content_type", event.content_type);
  append_bytes(to, "data", "data_base64", event.data, event.content_type == kJsonType);
  append_bytes(to, "metadata", "metadata_base64", event.metadata, true);
}

// --- Reading ---

// A member, and where it stands.
struct Found {
  const RawMember& member;
  const std::string& place;

  base::Error error(const std::string& why) const {
    return {base::exit_bad_input, fmt::format("{}: \"{}\" {}", place, member.name, why)};
  }
};

void take_text(const Found& found, std::string& to) {
  if (!found.member.is_string) throw found.error("must be a text");
  to = found.member.string;
}

void take_base64(const Found& found, std::string& to) {
  const auto bytes = net::from_base64(found.member.string);
  if (!found.member.is_string || !bytes) throw found.error("must be a text in Base64");
  to = *bytes;
}

void take_number(const Found& found, uint64_t& to) {
  if (!base::read_number(found.member.raw, to)) {
    throw found.error(fmt::format("must be a whole number from 0 to {}", UINT64_MAX));
  }
}

void take_retries(const Found& found, int& to) {
  if (!base::read_number(found.member.raw, to) || to < 0) {
    throw found.error("must be a whole number from 0 to 2147483647");
  }
}

void take_time(const Found& found, int64_t& to) {
  if (!found.member.is_string || !read_time(found.member.string, to)) {
    throw found.error("must be a time like 2026-11-25T12:00:00.1234567Z");
  }
}

void take_truth(const Found& found, bool& to) {
  if (found.member.raw != "true" && found.member.raw != "false") {
    throw found.error("must be true or false");
  }
  to = found.member.raw == "true";
}

// What events and links have; false for any other member.
template <typename Recorded>
bool take_place(const Found& found, Recorded& to) {
  const std::string_view name = found.member.name;
  if (name == "stream") {
    take_text(found, to.stream);
  } else if (name == "stream_base64") {
    take_base64(found, to.stream);
  } else if (name == "revision") {
    take_number(found, to.revision);
  } else if (name == "commit") {
    take_number(found, to.position.commit);
  } else if (name == "prepare") {
    take_number(found, to.position.prepare);
  } else if (name == "id") {
    take_text(found, to.id);
    if (!is_id(to.id)) throw found.error("must be printable ASCII without spaces");
  } else {
    return false;
  }
  return true;
}

Link link_of(const Found& found) {
  if (!found.member.raw.starts_with('{')) throw found.error("must be an object");
  Link link;
  const std::string place = found.place + ": link";
  json::each_member(found.member.raw, place, [&](const RawMember& member) {
    take_place(Found{member, place}, link);
  });
  return link;
}

void take(const Found& found, Event& event) {
  const std::string_view name = found.member.name;
  if (name == "data") {
    event.data = found.member.raw;
  } else if (name == "metadata") {
    event.metadata = found.member.raw;
  } else if (found.member.raw == "null" || take_place(found, event)) {
    return;  // a member that is null is as one that is not there
  } else if (name == "type") {
    take_text(found, event.type);
  } else if (name == "type_base64") {
    take_base64(found, event.type);
  } else if (name == "created") {
    take_time(found, event.created_ticks);
  } else if (name == "content_type") {
    take_text(found, event.content_type);
  } else if (name == "data_base64") {
    take_base64(found, event.data);
  } else if (name == "metadata_base64") {
    take_base64(found, event.metadata);
  } else if (name == "link") {
    event.link = link_of(found);
  } else if (name == "missing") {
    take_truth(found, event.is_missing);
  } else if (name == "retries") {
    take_retries(found, event.retries);
  }
}

}  // namespace

void append_event_json(const Event& event, std::string& to) {
  append_event_json(event, {}, to);
}

void append_event_json(const Event& event, const MoreMembers& more, std::string& to) {
  ObjectAppender object(to);
  if (!event.is_missing) append_event(object, event);
  if (event.link) append_link(object, *event.link);
  if (event.is_missing) object.truth("missing", true);
  if (event.retries > 0) object.number("retries", static_cast<uint64_t>(event.retries));
  for (const auto& [name, value] : more) object.text(name, value);
  object.close();
}

Event read_event_json(std::string_view line, const std::string& place) {
  Event event;
  bool has_json = false;
  bool has_content_type = false;
  json::each_member(line, place, [&](const RawMember& member) {
    has_json = has_json || member.name == "data";
    has_content_type = has_content_type || member.name == "content_type";
    take(Found{member, place}, event);
  });
  if (event.type.empty() && !event.is_missing) {
    throw base::Error(base::exit_bad_input,
                      place + R"( has no "type"; an event is {"type":…,"data":…})");
  }
  if (has_json && !has_content_type) event.content_type = kJsonType;
  return event;
}

}  // namespace eventstore
