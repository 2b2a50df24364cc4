#include <doctest/doctest.h>

#include "eventstore/data.hpp"
#include "eventstore/running_value.hpp"
#include "eventstore_stage.hpp"

using eventstore_stage::error_of;
using eventstore_stage::event_of;
using eventstore_stage::stage;
using Kind = eventstore::RunningValueSpec::Kind;
using Lines = std::vector<std::string>;

namespace {

eventstore::RunningValueSpec spec_of(Kind kind, const std::string& say = "{value} {total} {count}",
                                     const std::string& field = "amount") {
  return {kind, "sales", field, eventstore::read_say(say, {"value", "total", "count"})};
}

// The lines printed for amounts that come one after the other.
Lines run(Kind kind, const std::vector<std::string>& amounts) {
  Lines printed;
  eventstore::RunningValue value(spec_of(kind), stage(printed));
  for (const std::string& amount : amounts) {
    value.process(event_of("{\"amount\":" + amount + "}"));
  }
  return printed;
}

}  // namespace

TEST_CASE("sums are what a person expects") {
  struct {
    std::vector<std::string> amounts;
    std::string line;
  } const rows[] = {
      {{"7", "5"}, "5 12 2"},
      {{"0.1", "0.2"}, "0.2 0.3 2"},
      {{"0.1", "0.2", "-0.3"}, "-0.3 0 3"},
      {{"-0.5"}, "-0.5 -0.5 1"},
      {{"-1.25", "0.5"}, "0.5 -0.75 2"},
      {{"-1.25", "1.3"}, "1.3 0.05 2"},
      {{"-0.000000001", "1"}, "1 0.999999999 2"},
      {{"-2", "0.5"}, "0.5 -1.5 2"},
      {{"100000000.1", "0.1"}, "0.1 100000000.2 2"},
      {{"0.30000000000000004"}, "0.3 0.3 1"},
      {{"0.9999999999"}, "1 1 1"},
      {{"1e3", "1E-3"}, "0.001 1000.001 2"},
      {{"-0.0"}, "0 0 1"},
      {{"9223372036854775806"}, "9223372036854775806 9223372036854775806 1"},
      {{"-9223372036854775806"}, "-9223372036854775806 -9223372036854775806 1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    CHECK(run(Kind::sum, row.amounts).back() == row.line);
  }
}

TEST_CASE("the largest, and how many") {
  CHECK(run(Kind::max, {"-3", "-5", "2", "1"}) == Lines{"-3 -3 1", "-5 -3 2", "2 2 3", "1 2 4"});
  CHECK(run(Kind::count, {"\"x\"", "3"}) == Lines{"1 1 1", "1 2 2"});
}

TEST_CASE("a bad event is named, and changes nothing") {
  struct {
    std::string data;
    std::string error;
  } const rows[] = {
      {"{\"other\":1}", "65 event 7 of orders has no amount in its data"},
      {"[1]", "65 event 7 of orders has no amount in its data"},
      {"{\"amount\":\"5\"}", "65 event 7 of orders: amount is \"5\", not a number of 64 bits"},
      {"{\"amount\":null}", "65 event 7 of orders: amount is null, not a number of 64 bits"},
      {"{\"amount\":1e300}", "65 event 7 of orders: amount is 1e300, not a number of 64 bits"},
      {"{\"amount\":9223372036854775807}",
       "65 event 7 of orders: amount is 9223372036854775807, not a number of 64 bits"},
      {"{\"amount\":-9223372036854775808}",
       "65 event 7 of orders: amount is -9223372036854775808, not a number of 64 bits"},
      {"{\"amount\":18446744073709551615}",
       "65 event 7 of orders: amount is 18446744073709551615, not a number of 64 bits"},
      {"\xFF", "65 event 7 of orders has no amount: its data is not JSON"},
      {"", "65 event 7 of orders has no amount: its data is not JSON"},
      {"{\"amount\":9223372036854775800}",
       "65 event 7 of orders: its amount, 9223372036854775800, makes the total 9 larger than 64 "
       "bits hold"},
  };
  Lines printed;
  eventstore::RunningValue value(spec_of(Kind::sum), stage(printed));
  value.process(event_of("{\"amount\":9}"));
  const std::string before = value.state();
  for (const auto& row : rows) {
    CAPTURE(row.data);
    CHECK(error_of(value, event_of(row.data)) == row.error);
    CHECK(value.state() == before);
  }
  CHECK(printed.size() == 1);
}

TEST_CASE("an event whose line can't be printed is not added, so it can be given again") {
  Lines printed;
  auto surroundings = stage(printed);
  bool is_full = true;
  surroundings.print = [&](std::string_view line) {
    if (is_full) throw base::Error(base::exit_local_io, "no room");
    printed.emplace_back(line);
  };
  eventstore::RunningValue value(spec_of(Kind::sum), surroundings);
  const eventstore::Event event = event_of("{\"amount\":5}");
  CHECK_THROWS_WITH_AS(value.process(event), "no room", base::Error);
  is_full = false;
  value.process(event);
  CHECK(printed == Lines{"5 5 1"});
}

TEST_CASE("a value goes on from where it was") {
  Lines printed;
  eventstore::RunningValue first(spec_of(Kind::sum), stage(printed));
  CHECK(first.state() == "");
  first.process(event_of("{\"amount\":-0.5}"));
  CHECK(first.state() == R"({"total":"-0.5","count":1})");
  eventstore::RunningValue second(spec_of(Kind::sum), stage(printed));
  second.restore("");
  second.restore(first.state());
  second.process(event_of("{\"amount\":2}"));
  CHECK(printed.back() == "2 1.5 2");
  for (const std::string state :
       {"12", "{}", "{\"total\":12,\"count\":1}", "{\"total\":\"x\",\"count\":1}", "\xFF",
        "{\"total\":\"1.\",\"count\":0}", "{\"total\":\"1.x\",\"count\":1}"}) {
    CAPTURE(state);
    CHECK_THROWS_WITH_AS(second.restore(state), doctest::Contains("processor sales"), base::Error);
  }
}

TEST_CASE("a line can tell all of an event, and nothing in it breaks the line") {
  Lines printed;
  const std::string say =
      "{{{processor}}} {stream} {number} {type} {id} {time} {data.a.b} {data.gone} {data.list} "
      "{data.text}|{data}";
  eventstore::RunningValue value(spec_of(Kind::count, say), stage(printed));
  auto event = event_of("{\"a\":{\"b\":1.5},\"list\":[1,2],\n\"text\":\"x\\ny\\u001b[1m\"}");
  event.created_ticks = 17'400'000'001'234'567;
  event.stream = "or\nders";
  value.process(event);
  event.created_ticks = -1;
  value.process(event);
  CHECK(printed[0] ==
        "{sales} or ders 7 ItemSold 0c9c1b4e-0000-4000-8000-000000000001 "
        "2025-02-19T21:20:00.1234567Z 1.5  [1,2] x y[1m|{\"a\":{\"b\":1.5},\"list\":[1,2], "
        "\"text\":\"x\\ny\\u001b[1m\"}");
  CHECK(printed[1].find("1969-12-31T23:59:59.9999999Z") != std::string::npos);
}

TEST_CASE("keys keep together what belongs together") {
  const auto event = event_of(R"({"customer":{"id":42,"name":"Ada"}})");
  CHECK(eventstore::key_of(event, "") == "orders");
  CHECK(eventstore::key_of(event, "customer.id") == "42");
  CHECK(eventstore::key_of(event, "customer.name") == "Ada");
  CHECK(eventstore::key_of(event, "customer.gone") == "");
  CHECK(eventstore::key_of(event, "customer.id.more") == "");
  CHECK(eventstore::key_of(event_of("no JSON"), "customer.id") == "");
}
