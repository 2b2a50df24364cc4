#include <protozero/pbf_writer.hpp>

#include "eventstore/messages.hpp"

namespace eventstore {

namespace {

using Writer = protozero::pbf_writer;

// Events that a server looks through before it tells how far it has come. Official clients take
// 32, which makes a message of every 32 events that do not fit.
constexpr uint32_t kSearchWindow = 1'000;

void add_empty(Writer& to, uint32_t tag) {
  to.add_message(tag, std::string());
}

void add_stream(Writer& to, uint32_t tag, const std::string& name) {
  Writer stream(to, tag);
  stream.add_bytes(3, name);
}

// UUIDs as text, please.
void add_uuid_option(Writer& to, uint32_t tag) {
  Writer option(to, tag);
  add_empty(option, 2);
}

void add_from_stream(Writer& options, const ReadRequest& request) {
  Writer stream(options, 1);
  add_stream(stream, 1, request.stream);
  switch (request.from) {
    case ReadRequest::From::position:
      stream.add_uint64(2, request.revision);
      break;
    case ReadRequest::From::start:
      add_empty(stream, 3);
      break;
    case ReadRequest::From::end:
      add_empty(stream, 4);
      break;
  }
}

void add_from_all(Writer& options, const ReadRequest& request) {
  Writer all(options, 2);
  if (request.from == ReadRequest::From::position) {
    Writer position(all, 1);
    position.add_uint64(1, request.position.commit);
    position.add_uint64(2, request.position.prepare);
  } else {
    add_empty(all, request.from == ReadRequest::From::start ? 2 : 3);
  }
}

void add_filter(Writer& options, const Filter& filter) {
  Writer to(options, 7);
  {
    Writer expression(to, filter.on == Filter::On::stream ? 1 : 2);
    if (!filter.regex.empty()) {
      expression.add_string(1, filter.regex);
    } else {
      for (const std::string& prefix : filter.prefixes) expression.add_string(2, prefix);
    }
  }
  to.add_uint32(3, kSearchWindow);
  to.add_uint32(5, 1);
}

void add_ids(Writer& to, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    Writer uuid(to, 2);
    uuid.add_string(2, id);
  }
}

}  // namespace

std::string read_request(const ReadRequest& request) {
  std::string bytes;
  Writer message(bytes);
  Writer options(message, 1);
  if (request.all) {
    add_from_all(options, request);
  } else {
    add_from_stream(options, request);
  }
  if (request.backwards) options.add_enum(3, 1);
  if (request.resolve_links) options.add_bool(4, true);
  if (request.count) {
    options.add_uint64(5, *request.count);
  } else {
    add_empty(options, 6);
  }
  if (request.filter) {
    add_filter(options, *request.filter);
  } else {
    add_empty(options, 8);
  }
  add_uuid_option(options, 9);
  options.commit();
  return bytes;
}

std::string join_request(const std::string& stream, const std::string& group, int buffer_size) {
  std::string bytes;
  Writer message(bytes);
  Writer options(message, 1);
  if (stream == "$all") {
    add_empty(options, 5);
  } else {
    add_stream(options, 1, stream);
  }
  options.add_string(2, group);
  options.add_int32(3, buffer_size);
  add_uuid_option(options, 4);
  options.commit();
  return bytes;
}

std::string ack_request(const std::vector<std::string>& ids) {
  std::string bytes;
  Writer message(bytes);
  Writer ack(message, 2);
  add_ids(ack, ids);
  ack.commit();
  return bytes;
}

std::string nack_request(const std::vector<std::string>& ids, Nack action,
                         const std::string& reason) {
  std::string bytes;
  Writer message(bytes);
  Writer nack(message, 3);
  add_ids(nack, ids);
  nack.add_enum(3, static_cast<int32_t>(action));
  nack.add_string(4, reason);
  nack.commit();
  return bytes;
}

}  // namespace eventstore
