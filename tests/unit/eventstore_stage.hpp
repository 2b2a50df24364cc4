// What tests of event processors share.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "eventstore/processor.hpp"
#include "eventstore/surroundings.hpp"

namespace eventstore_stage {

inline eventstore::Event event_of(const std::string& data, uint64_t revision = 7) {
  eventstore::Event event;
  event.stream = "orders";
  event.revision = revision;
  event.type = "ItemSold";
  event.id = "0c9c1b4e-0000-4000-8000-000000000001";
  event.content_type = "application/json";
  event.data = data;
  return event;
}

// Prints into `printed`; the line of an event is its data; no HTTP.
inline eventstore::Surroundings stage(std::vector<std::string>& printed) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as main does
  eventstore::Surroundings stage;
  stage.clock = base::real_clock();
  stage.env = [](const std::string& name) {
    return name == "TOKEN" ? std::string("s3cret") : std::string();
  };
  stage.stop = [] { return false; };
  stage.print = [&printed](std::string_view line) { printed.emplace_back(line); };
  stage.event_line = [](const eventstore::Event& event, std::string& to) { to += event.data; };
  stage.environment = {"PATH=/usr/bin:/bin"};
  return stage;
}

// What process() throws, with its code: "65 the message"; "" when it does not.
inline std::string error_of(eventstore::Processor& processor, const eventstore::Event& event) {
  try {
    processor.process(event);
  } catch (const base::Error& error) {
    return std::to_string(error.code()) + " " + error.what();
  }
  return "";
}

}  // namespace eventstore_stage
