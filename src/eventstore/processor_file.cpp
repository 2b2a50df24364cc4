#include "eventstore/processor_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "eventstore/exec.hpp"
#include "eventstore/pipe.hpp"
#include "eventstore/print.hpp"
#include "eventstore/running_value.hpp"
#include "eventstore/webhook.hpp"
#include "json/place.hpp"

namespace eventstore {

namespace {

using json::Place;
using Kind = RunningValueSpec::Kind;

constexpr int64_t kTimeoutMs = 60'000;
constexpr int64_t kMostAttempts = 1'000;
constexpr int64_t kMostInstances = 64;

// A processor's description, for what reads its action.
struct Item {
  const json::Value& value;
  Place place;
  std::string processor;  // its name
};

// Numbers of the kind are checked by whoever reads them.
int64_t number_at(const json::Value& object, const char* name, const Place& place, int64_t fallback,
                  int64_t most) {
  const json::Value* value = json::find(object, name);
  if (value == nullptr) return fallback;
  const auto* number = std::get_if<int64_t>(&value->data);
  if (number == nullptr || *number < 1 || *number > most) {
    throw place.at(name).error(fmt::format("this is no number from 1 to {}", most));
  }
  return *number;
}

int64_t duration_at(const json::Value& object, const char* name, const Place& place,
                    int64_t fallback_ms) {
  const std::string text = json::amount_at(object, name, place);
  int64_t ms = fallback_ms;
  if (!text.empty() && (!base::read_duration_ms(text, ms) || ms < 1)) {
    throw place.at(name).error("this is no time like 100ms, 30s or 5m");
  }
  return ms;
}

Say say_of(const Item& item, const std::string& fallback, const std::vector<std::string>& own) {
  const std::string given = json::text_at(item.value, "say", item.place);
  try {
    return read_say(given.empty() ? fallback : given, own);
  } catch (const base::Error& error) {
    throw item.place.at("say").error(error.what());
  }
}

// "print: true", for what needs no more.
void want_true(const Item& item, const char* name) {
  const json::Value* value = json::find(item.value, name);
  if (!json::is_null(value) && !json::bool_at(item.value, name)) {
    throw item.place.at(name).error("this is true, or the line is left out");
  }
}

void check_path(const std::string& path, const Place& place) {
  for (const std::string& name : base::split(path, '.')) {
    if (name.empty()) throw place.error("this is no path of names like order.total");
  }
}

// "sum: amount" or "sum: {field: amount}".
std::string field_at(const Item& item, const char* name) {
  constexpr const char* known[] = {"field"};
  const json::Value* value = json::find(item.value, name);
  const json::Object* object = json::as_object(value);
  const Place place = item.place.at(name);
  if (object != nullptr) json::refuse_unknown(*object, known, place);
  const std::string field = object == nullptr ? json::text_at(item.value, name, item.place)
                                              : json::text_at(*value, "field", place);
  if (field.empty()) throw place.error("this wants a field of the event's data: {field: amount}");
  check_path(field, place);
  return field;
}

std::vector<std::string> argv_at(const Item& item, const char* name) {
  std::vector<std::string> argv = json::texts_at(item.value, name, item.place);
  const Place place = item.place.at(name);
  if (argv.empty() || argv.front().empty()) throw place.error("the program's name is empty");
  if (argv.size() == 1 && argv.front().find(' ') != std::string::npos) {
    throw place.error("this is no shell: give the program and its arguments as a list");
  }
  return argv;
}

MakeProcessor read_print(const Item& item) {
  Say say;
  want_true(item, "print");
  if (json::find(item.value, "say") != nullptr) say = say_of(item, "", {});
  return [name = item.processor, say](const Surroundings& surroundings) {
    return std::make_unique<Print>(name, say, surroundings);
  };
}

MakeProcessor running_value(const Item& item, Kind kind, const std::string& field) {
  RunningValueSpec spec;
  spec.kind = kind;
  spec.processor = item.processor;
  spec.field = field;
  std::vector<std::string> own{"total", "count"};
  if (kind != Kind::count) own.emplace_back("value");
  spec.say = say_of(item, "{processor}: {total}", own);
  return [spec](const Surroundings& surroundings) {
    return std::make_unique<RunningValue>(spec, surroundings);
  };
}

MakeProcessor read_sum(const Item& item) {
  return running_value(item, Kind::sum, field_at(item, "sum"));
}

MakeProcessor read_max(const Item& item) {
  return running_value(item, Kind::max, field_at(item, "max"));
}

MakeProcessor read_count(const Item& item) {
  want_true(item, "count");
  return running_value(item, Kind::count, "");
}

MakeProcessor read_exec(const Item& item) {
  const std::vector<std::string> argv = argv_at(item, "exec");
  const int64_t timeout_ms = duration_at(item.value, "timeout", item.place, kTimeoutMs);
  return [argv, timeout_ms](const Surroundings& surroundings) {
    return std::make_unique<Exec>(argv, timeout_ms, surroundings);
  };
}

MakeProcessor read_pipe(const Item& item) {
  const std::vector<std::string> argv = argv_at(item, "pipe");
  const int64_t timeout_ms = duration_at(item.value, "timeout", item.place, kTimeoutMs);
  return [argv, timeout_ms](const Surroundings& surroundings) {
    return std::make_unique<Pipe>(argv, timeout_ms, surroundings);
  };
}

// "webhook: https://…" or "webhook: {url: …, headers: {…}}".
MakeProcessor read_webhook(const Item& item) {
  constexpr const char* known[] = {"url", "headers"};
  const json::Value* webhook = json::find(item.value, "webhook");
  const json::Object* object = json::as_object(webhook);
  const Place place = item.place.at("webhook");
  if (object != nullptr) json::refuse_unknown(*object, known, place);
  WebhookSpec spec;
  spec.url = object == nullptr ? json::text_at(item.value, "webhook", item.place)
                               : json::text_at(*webhook, "url", place);
  spec.timeout_ms = duration_at(item.value, "timeout", item.place, kTimeoutMs);
  const bool may_be_url = spec.url.starts_with("http://") || spec.url.starts_with("https://") ||
                          spec.url.starts_with("${");
  if (!may_be_url) throw place.error("this wants a URL that begins with https:// or http://");
  const json::Value* headers = json::find(*webhook, "headers");
  const json::Object* list = json::as_object(headers);
  if (headers != nullptr && list == nullptr) {
    throw place.at("headers").error("this is no map of names to texts");
  }
  for (const json::Member& header : list == nullptr ? json::Object() : *list) {
    spec.headers.emplace_back(header.name,
                              json::text_at(*headers, header.name.c_str(), place.at("headers")));
  }
  return [spec](const Surroundings& surroundings) {
    return std::make_unique<Webhook>(spec, surroundings);
  };
}

struct Action {
  const char* name;  // in the file; behind it stands what read() reads
  MakeProcessor (*read)(const Item& item);
  bool has_say = false;
  bool has_timeout = false;
  bool has_value = false;  // which is one over all events, so there is one instance
  bool has_program = false;
};

// What can be done with events. A processor in C++ is one row more.
constexpr Action kActions[] = {
    {"print", read_print, true},
    {"sum", read_sum, true, false, true},
    {"count", read_count, true, false, true},
    {"max", read_max, true, false, true},
    {"exec", read_exec, false, true, false, true},
    {"pipe", read_pipe, false, true, false, true},
    {"webhook", read_webhook, false, true},
};

// Exactly one.
const Action& action_of(const Item& item) {
  const Action* found = nullptr;
  std::vector<std::string> names;
  for (const Action& action : kActions) {
    names.emplace_back(action.name);
    if (json::find(item.value, action.name) == nullptr) continue;
    if (found != nullptr) {
      throw item.place.at(action.name)
          .error(
              fmt::format("it already has {}; give one, or make it two processors", found->name));
    }
    found = &action;
  }
  if (found != nullptr) return *found;
  throw item.place.error("nothing is to be done; give one of " + base::join(names, ", "));
}

void refuse_unknown_members(const json::Object& object, const Place& place) {
  std::vector<const char*> known{"name",  "events",      "say",       "timeout", "skip_bad_events",
                                 "retry", "dead_letter", "instances", "key"};
  for (const Action& action : kActions) known.push_back(action.name);
  json::refuse_unknown(object, known, place);
  json::refuse_doubles(object, place);
}

std::vector<std::string> types_of(const Item& item) {
  std::vector<std::string> types = json::texts_at(item.value, "events", item.place);
  for (const std::string& type : types) {
    if (type.empty()) throw item.place.at("events").error("this holds an empty type");
    if (type == "*") return {};
  }
  return types;
}

void read_policy(ProcessorSpec& spec, const Item& item) {
  constexpr const char* known[] = {"attempts", "wait"};
  const Place& place = item.place;
  spec.skip_bad_events = json::toggle_at(item.value, "skip_bad_events", place, false);
  spec.dead_letter = json::text_at(item.value, "dead_letter", place);
  if (!spec.dead_letter.empty() && !spec.skip_bad_events) {
    throw place.at("dead_letter").error("this has no effect without skip_bad_events: true");
  }
  const json::Value* retry = json::find(item.value, "retry");
  if (retry == nullptr) return;
  const Place there = place.at("retry");
  const json::Object* object = json::as_object(retry);
  if (object == nullptr) throw there.error("this is a map: {attempts: 10, wait: 100ms}");
  json::refuse_unknown(*object, known, there);
  spec.attempts =
      static_cast<int>(number_at(*retry, "attempts", there, spec.attempts, kMostAttempts));
  spec.first_wait_ms = duration_at(*retry, "wait", there, spec.first_wait_ms);
}

void read_instances(ProcessorSpec& spec, const Item& item, const Action& action) {
  const int64_t count = number_at(item.value, "instances", item.place, 1, kMostInstances);
  spec.instances = static_cast<size_t>(count);
  spec.key = json::text_at(item.value, "key", item.place);
  if (action.has_value && count > 1) {
    throw item.place.at("instances").error("a running value needs one instance");
  }
  if (spec.key.empty()) return;
  if (count == 1) throw item.place.at("key").error("this has no effect without instances");
  check_path(spec.key, item.place.at("key"));
}

ProcessorSpec read_processor(const json::Value& value, const Place& place) {
  const json::Object* object = json::as_object(&value);
  if (object == nullptr) throw place.error("a processor is a map of names to values");
  refuse_unknown_members(*object, place);
  ProcessorSpec spec;
  spec.name = json::text_at(value, "name", place);
  if (spec.name.empty()) {
    throw place.error("it has no name; the checkpoint file knows processors by their names");
  }
  const Item item{value, place, spec.name};
  const Action& action = action_of(item);
  for (const auto& [name, has_effect] :
       {std::pair("say", action.has_say), std::pair("timeout", action.has_timeout)}) {
    if (has_effect || json::find(value, name) == nullptr) continue;
    throw place.at(name).error(fmt::format("this has no effect with {}", action.name));
  }
  spec.types = types_of(item);
  read_policy(spec, item);
  read_instances(spec, item, action);
  spec.keeps_value = action.has_value;
  if (action.has_program) spec.program = argv_at(item, action.name).front();
  spec.make = action.read(item);
  return spec;
}

}  // namespace

std::vector<ProcessorSpec> read_processors(const json::Value& document, const std::string& source) {
  constexpr const char* known[] = {"processors"};
  const Place place{source, ""};
  const json::Object* object = json::as_object(&document);
  if (object == nullptr) {
    throw base::Error(
        base::exit_bad_input,
        fmt::format("{} describes no processors: it is no map with processors", source));
  }
  json::refuse_unknown(*object, known, place);
  const json::Array* list = json::as_array(json::find(document, "processors"));
  if (list == nullptr || list->empty()) {
    throw place.at("processors").error("this is no list of processors");
  }
  std::vector<ProcessorSpec> specs;
  for (size_t i = 0; i < list->size(); ++i) {
    const Place there = place.at("processors").at(std::to_string(i));
    ProcessorSpec spec = read_processor((*list)[i], there);
    for (const ProcessorSpec& other : specs) {
      if (other.name == spec.name) {
        throw there.at("name").error("another processor has this name, and so its checkpoint");
      }
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace eventstore
