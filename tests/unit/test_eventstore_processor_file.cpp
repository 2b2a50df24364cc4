#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "eventstore/processor_file.hpp"
#include "eventstore_stage.hpp"
#include "json/read.hpp"

using eventstore_stage::event_of;
using eventstore_stage::stage;
using Texts = std::vector<std::string>;

namespace {

std::vector<eventstore::ProcessorSpec> specs_of(const std::string& yaml) {
  return eventstore::read_processors(json::parse_yaml(yaml, "p.yaml"), "p.yaml");
}

// What is wrong with a file; "" for nothing.
std::string error_of(const std::string& yaml) {
  try {
    static_cast<void>(specs_of(yaml));
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    return error.what();
  }
  return "";
}

std::string fixture(const std::string& name) {
  std::ifstream file(std::string(FIXTURES "/eventstore/") + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the sample adds up sales") {
  const auto specs = specs_of(fixture("sales.yaml"));
  REQUIRE(specs.size() == 1);
  CHECK(specs[0].types == Texts{"ItemSold"});
  Texts printed;
  const auto processor = specs[0].make(stage(printed));
  std::istringstream lines(fixture("sales.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto value = json::parse(line, "sales.jsonl");
    if (json::string_at(value, "type") != "ItemSold") continue;
    processor->process(event_of(
        line.substr(line.find("\"data\":") + 7, line.size() - line.find("\"data\":") - 8)));
  }
  REQUIRE(printed.size() == 4);
  CHECK(printed[0] == "Incoming sales amount 7, Total sales amount 7");
  CHECK(printed[1] == "Incoming sales amount 5, Total sales amount 12");
  CHECK(printed[3] == "Incoming sales amount 0.2, Total sales amount 12.3");
}

TEST_CASE("a file with all that there can be") {
  const auto specs = specs_of(R"(
processors:
- name: mailer
  events: [ItemSold, ItemReturned]
  pipe: [./mail.sh, --fast]
  timeout: 30s
  skip_bad_events: true
  retry: {attempts: 3, wait: 1.5s}
  dead_letter: bad.jsonl
  instances: 4
  key: customer.id
- {name: a, print: true, events: "*"}
- {name: b, print: , say: "{type} {data.x}", events: ItemSold}
- {name: c, count: true}
- {name: d, max: {field: order.total}}
- {name: e, exec: ./x.sh}
- {name: f, webhook: "https://example.com"}
- {name: g, webhook: {url: "${URL}", headers: {Authorization: "Bearer ${TOKEN}"}}, timeout: 5}
)");
  REQUIRE(specs.size() == 8);
  CHECK(specs[0].name == "mailer");
  CHECK(specs[0].types == Texts{"ItemSold", "ItemReturned"});
  CHECK(specs[0].skip_bad_events);
  CHECK(specs[0].attempts == 3);
  CHECK(specs[0].first_wait_ms == 1'500);
  CHECK(specs[0].dead_letter == "bad.jsonl");
  CHECK(specs[0].instances == 4);
  CHECK(specs[0].key == "customer.id");
  CHECK(specs[1].types.empty());
  CHECK(!specs[1].skip_bad_events);
  CHECK(specs[1].attempts == 10);
  CHECK(specs[1].first_wait_ms == 100);
  CHECK(specs[1].instances == 1);
  CHECK(specs[2].types == Texts{"ItemSold"});
  Texts printed;
  for (const size_t i : {1U, 2U, 3U}) {
    specs[i].make(stage(printed))->process(event_of("{\"x\":8}"));
  }
  CHECK(printed == Texts{"{\"x\":8}", "ItemSold 8", "c: 1"});
}

TEST_CASE("what is wrong is told with its place") {
  struct {
    std::string item;
    std::string error;  // behind the file's name
  } const rows[] = {
      {"print: true",
       ", at /processors/1: it has no name; the checkpoint file knows processors by "
       "their names"},
      {"name: ''", "/name: this is no text"},
      {"name: first, print: true", "/name: another processor has this name, and so its checkpoint"},
      {"name: b",
       "/processors/1: nothing is to be done; give one of print, sum, count, max, exec, "
       "pipe, webhook"},
      {"name: b, sum: x, pipe: x",
       "/pipe: it already has sum; give one, or make it two processors"},
      {"name: b, sums: x", "/sums: this name is not known; did you mean sum?"},
      {"name: b, print: true, print: true", "/print: this name stands twice"},
      {"name: b, print: 1", "/print: this is true, or the line is left out"},
      {"name: b, print: true, timeout: 1s", "/timeout: this has no effect with print"},
      {"name: b, exec: x, say: y", "/say: this has no effect with exec"},
      {"name: b, print: true, say: '{total}'",
       "/say: {total} is not known; known are stream, "
       "number, type, id, time, processor, data and "
       "data.FIELD"},
      {"name: b, sum: x, say: '{totl}'", "/say: {totl} is not known; did you mean {total}?"},
      {"name: b, sum: x, say: 'a {total'", "/say: a { without its partner; write {{ for the sign"},
      {"name: b, sum: x, say: 'a }'", "/say: a } without its partner; write }} for the sign"},
      {"name: b, count: true, say: '{value}'", "/say: {value} is not known; known are"},
      {"name: b, sum: true", "/sum: this is no text"},
      {"name: b, sum: {}", "/sum: this wants a field of the event's data: {field: amount}"},
      {"name: b, sum: {feld: a}", "/sum/feld: this name is not known; did you mean field?"},
      {"name: b, sum: a..b", "/sum: this is no path of names like order.total"},
      {"name: b, exec: []", "/exec: this is no list of texts"},
      {"name: b, exec: ['']", "/exec: the program's name is empty"},
      {"name: b, pipe: cat -u",
       "/pipe: this is no shell: give the program and its arguments as a list"},
      {"name: b, pipe: cat, timeout: soon", "/timeout: this is no time like 100ms, 30s or 5m"},
      {"name: b, pipe: cat, timeout: 0", "/timeout: this is no time like 100ms, 30s or 5m"},
      {"name: b, webhook: ftp://x",
       "/webhook: this wants a URL that begins with https:// or http://"},
      {"name: b, webhook: {headers: {}}", "/webhook: this wants a URL that begins with"},
      {"name: b, webhook: {url: 'http://x', headers: [a]}",
       "/webhook/headers: this is no map of names to texts"},
      {"name: b, webhook: {url: 'http://x', headers: {a: 1}}",
       "/webhook/headers/a: this is no text"},
      {"name: b, print: true, dead_letter: x",
       "/dead_letter: this has no effect without skip_bad_events: true"},
      {"name: b, print: true, retry: 3", "/retry: this is a map: {attempts: 10, wait: 100ms}"},
      {"name: b, print: true, retry: {attempts: 0}",
       "/retry/attempts: this is no number from 1 to 1000"},
      {"name: b, print: true, retry: {wait: x}", "/retry/wait: this is no time like"},
      {"name: b, print: true, retry: {waits: 1s}",
       "/retry/waits: this name is not known; did you "
       "mean wait?"},
      {"name: b, sum: x, instances: 2", "/instances: a running value needs one instance"},
      {"name: b, print: true, instances: 65", "/instances: this is no number from 1 to 64"},
      {"name: b, print: true, key: a", "/key: this has no effect without instances"},
      {"name: b, print: true, instances: 2, key: a.", "/key: this is no path of names"},
      {"name: b, print: true, events: ['']", "/events: this holds an empty type"},
      {"name: b, print: true, events: [1]", "/events: this list holds something that is no text"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.item);
    const std::string error =
        error_of("processors: [{name: first, print: true}, {" + row.item + "}]");
    CAPTURE(error);
    CHECK(error.starts_with("p.yaml, at /processors/1"));
    CHECK(error.find(row.error) != std::string::npos);
  }
}

TEST_CASE("files that describe nothing") {
  CHECK(error_of("[]") == "p.yaml describes no processors: it is no map with processors");
  CHECK(error_of("processors: []") == "p.yaml, at /processors: this is no list of processors");
  CHECK(error_of("{}") == "p.yaml, at /processors: this is no list of processors");
  CHECK(error_of("processors: [x]") ==
        "p.yaml, at /processors/0: a processor is a map of names to values");
  CHECK(error_of("procesors: []") ==
        "p.yaml, at /procesors: this name is not known; did you mean processors?");
}
