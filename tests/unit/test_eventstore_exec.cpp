#include <doctest/doctest.h>

#include "eventstore/exec.hpp"
#include "eventstore_stage.hpp"

using eventstore_stage::error_of;
using eventstore_stage::event_of;
using eventstore_stage::stage;

TEST_CASE("a program gets the event as a line, and its output is printed") {
  std::vector<std::string> printed;
  eventstore::Exec exec({"sh", "-c", "read -r a; read -r b || echo \"<$a>\"; echo $0", "name"},
                        20'000, stage(printed));
  exec.process(event_of("{\"a\":1}"));
  CHECK(printed == std::vector<std::string>{"<{\"a\":1}>\nname"});
  eventstore::Exec silent({"true"}, 20'000, stage(printed));
  silent.process(event_of("x"));
  CHECK(printed.size() == 1);
}

TEST_CASE("how a program fails is told") {
  struct {
    std::string script;
    int64_t timeout_ms;
    std::string error;
  } const rows[] = {
      {"exit 3", 20'000, "65 sh ended with code 3"},
      {"echo first >&2; printf 'no \\033 room \\n\\n' >&2; exit 1", 20'000,
       "65 sh ended with code 1: no  room"},
      {"kill -KILL $$", 20'000, "65 sh ended with code 137"},
      {"echo slow >&2; exec sleep 9", 80, "75 sh was ended: it took longer than 80 ms: slow"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    std::vector<std::string> printed;
    eventstore::Exec exec({"sh", "-c", row.script}, row.timeout_ms, stage(printed));
    CHECK(error_of(exec, event_of("x")) == row.error);
    CHECK(printed.empty());
  }
}

TEST_CASE("a program that is not there, and a stop") {
  std::vector<std::string> printed;
  eventstore::Exec missing({"no-such-program-here"}, 20'000, stage(printed));
  CHECK(error_of(missing, event_of("x")).starts_with("66 can't run no-such-program-here: "));
  auto surroundings = stage(printed);
  surroundings.stop = [] { return true; };
  eventstore::Exec stopped({"sleep", "9"}, 20'000, surroundings);
  CHECK(error_of(stopped, event_of("x")) == "130 sleep was ended, as a stop was asked for");
}
