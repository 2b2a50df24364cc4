// The file that describes event processors:
//
//   processors:
//     - name: sales                        # stands in the checkpoint file
//       events: [ItemSold, ItemReturned]   # types; all when it is missing or "*"
//       sum: amount                        # what to do, exactly one: print, sum, count, max, exec,
//                                          # pipe, webhook
//       say: "Incoming sales amount {value}, Total sales amount {total}"   # eventstore/say.hpp
//       skip_bad_events: true              # after the last attempt; else the processor stops
//       retry: {attempts: 10, wait: 100ms} # the wait doubles, up to 30 s
//       dead_letter: bad.jsonl             # where skipped events go
//     - name: mailer
//       pipe: [./mail.sh, --fast]
//       timeout: 30s
//       instances: 4                       # events are worked on at once, those with one key
//       key: customer.id                   # in their order; without it those of one stream
//     - name: hook
//       webhook: {url: "https://example.com/hook", headers: {Authorization: "Bearer ${TOKEN}"}}
//
// Refuses with 65, the place and the remedy what is not known, what stands twice, and what would
// have no effect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/processor.hpp"
#include "eventstore/surroundings.hpp"
#include "json/value.hpp"

namespace eventstore {

// Makes one instance. Throws 78 when something in the environment is missing.
using MakeProcessor = std::function<std::unique_ptr<Processor>(const Surroundings&)>;

struct ProcessorSpec {
  std::string name;
  std::vector<std::string> types;  // none: all
  bool skip_bad_events = false;
  int attempts = 10;
  int64_t first_wait_ms = 100;  // between attempts; doubles
  std::string dead_letter;      // a file; "" for none
  size_t instances = 1;
  std::string key;           // see key_of() in eventstore/data.hpp
  bool keeps_value = false;  // one over all events
  std::string program;       // that is run for them; "" for none
  MakeProcessor make;
};

// `source` is the file's name, for errors.
std::vector<ProcessorSpec> read_processors(const json::Value& document, const std::string& source);

}  // namespace eventstore
