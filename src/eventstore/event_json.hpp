// An event as a line of JSON, the form in which it is printed, given to programs, put aside and
// read from files:
//   {"stream":"orders-1","revision":7,"commit":1024,"prepare":1024,"type":"OrderPlaced",
//    "id":"…","created":"2026-11-25T12:00:00.1234567Z","content_type":"application/json",
//    "data":{…},"metadata":{…},"link":{"stream":…,"revision":…,"commit":…,"prepare":…,"id":…},
//    "retries":1}
//
// `data` and `metadata` are the event's own bytes when they are JSON (data also by its content
// type), with line breaks as spaces; otherwise `data_base64` and `metadata_base64` stand in their
// place, and nothing when they are empty. commit and prepare are left out when they are not known,
// retries when there were none. Names that are not UTF-8 have U+FFFD, and stand as stream_base64
// and type_base64 beside that. An event whose link has lost its target is
// {"link":{…},"missing":true}.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event.hpp"

namespace eventstore {

// Without a line break at the end.
void append_event_json(const Event& event, std::string& to);

// The same with more members, all texts, whose names are not the event's.
using MoreMembers = std::vector<std::pair<const char*, std::string>>;
void append_event_json(const Event& event, const MoreMembers& more, std::string& to);

// The other way round, with the bytes of data and metadata as they stand there. Of a line written
// by hand no more than `type` is wanted; others are passed over. `place` names it in errors
// ("events.jsonl: line 3"): 65 when it is no such object, or a member is not of its type.
Event read_event_json(std::string_view line, const std::string& place);

}  // namespace eventstore
