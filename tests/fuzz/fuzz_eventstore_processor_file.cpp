// The file that describes event processors (YAML). Holds: what is read has names and limits; a
// running value works, and comes back from what was stored of it.
#include "eventstore/processor_file.hpp"

#include <algorithm>
#include <optional>

#include "fuzz.hpp"
#include "json/read.hpp"

namespace {

eventstore::Event event_of(const std::string& data) {
  eventstore::Event event;
  event.stream = "orders";
  event.type = "ItemSold";
  event.content_type = "application/json";
  event.data = data;
  return event;
}

// Only processors that start no programs and ask nobody.
void run(const eventstore::ProcessorSpec& spec, const std::string& data) {
  eventstore::Surroundings surroundings;
  std::optional<std::ptrdiff_t> breaks;  // what the file itself says has
  surroundings.print = [&breaks](std::string_view line) {
    const auto found = std::count(line.begin(), line.end(), '\n');
    fuzz::expect(!breaks || found == *breaks, "an event's data adds no line", line);
    breaks = found;
  };
  const auto processor = spec.make(surroundings);
  fuzz::takes([&] { processor->process(event_of(R"({"amount":12.5,"a":{"b":3}})")); });
  fuzz::takes([&] { processor->process(event_of(data)); });
  const std::string state = processor->state();
  const auto again = spec.make(surroundings);
  again->restore(state);
  fuzz::expect(again->state() == state, "a value comes back", state);
  fuzz::takes([&] { again->restore(data); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  std::vector<eventstore::ProcessorSpec> specs;
  const bool is_read = fuzz::takes([&] {
    specs = eventstore::read_processors(json::parse_yaml(text, "x.yaml"), "x.yaml");
    fuzz::expect(!specs.empty(), "there are processors");
  });
  if (!is_read) return 0;
  for (const eventstore::ProcessorSpec& spec : specs) {
    fuzz::expect(!spec.name.empty() && spec.attempts > 0 && spec.first_wait_ms > 0 &&
                     spec.instances > 0 && spec.make != nullptr,
                 "a processor is whole", spec.name);
    if (spec.keeps_value) run(spec, text);
  }
  return 0;
}
